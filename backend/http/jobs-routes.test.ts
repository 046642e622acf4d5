import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../test/eventually.ts'
import { gate } from '../test/gate.ts'
import { httpWorld, problemOf, type HttpWorld } from '../test/http-world.ts'

let world: HttpWorld
const slow = gate()

beforeAll(async () => {
  world = await httpWorld()
  const { lanes } = world.engine
  lanes.handle('hold', () => slow.pass())
  lanes.handle('fail', () => Promise.reject(new Error('broken')))
  await lanes.start()
})
afterAll(async () => {
  slow.open()
  await world.stop()
})

const get = async (path: string) => {
  const answer = await world.get(`/api/admin/jobs${path}`, world.superadmin)
  return { status: answer.status, body: await answer.json() }
}
const post = (path: string) => world.post(`/api/admin/jobs${path}`, {}, world.superadmin)
const dead = async () => (await world.engine.lanes.deadLetters()).map(({ id }) => id)

describe('the routes of the lanes', () => {
  test('count the jobs of each lane and show those that run, which can be cancelled', async () => {
    const id = await world.engine.lanes.add('hold', { n: 1 }, { lane: 'high' })
    await slow.arrived
    expect(await get('')).toMatchObject({
      status: 200,
      body: {
        status: 'success',
        data: {
          lanes: { high: { active: 1, waiting: 0 }, normal: { active: 0 }, low: { active: 0 } },
          active: [{ id, kind: 'hold', lane: 'high', data: { n: 1 } }],
        },
      },
    })
    expect((await post(`/${id}/cancel`)).status).toBe(200)
    await eventually(async () => expect((await get(`/${id}`)).status).toBe(404))
  })

  test('list dead letters with their error, and retry and discard them', async () => {
    const id = await world.engine.lanes.add('fail', 1, { lane: 'low' })
    await eventually(async () => expect(await dead()).toEqual([id]))
    expect((await get('/dead')).body).toMatchObject({
      data: { jobs: [{ id, error: 'broken', attempts: 1, state: 'failed' }], total: 1 },
    })
    expect((await post(`/${id}/retry`)).status).toBe(200)
    await eventually(async () => expect(await dead()).toHaveLength(1))
    const [again = ''] = await dead()
    expect(again).not.toBe(id)
    const discarded = await fetch(`${world.url}/api/admin/jobs/${again}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${world.superadmin}` },
    })
    expect(discarded.status).toBe(200)
    expect(await dead()).toEqual([])
  })

  test.each(['retry', 'cancel'])('%s answers 404 for an unknown id', async (act) => {
    for (const id of ['high-none', 'high-%00']) {
      const problem = await problemOf(await post(`/${id}/${act}`))
      expect(problem).toMatchObject({ status: 404, code: 'not_found', field: 'id' })
    }
  })

  test('a job that has failed cannot be cancelled, and one that waits not be retried: 409', async () => {
    const id = await world.engine.lanes.add('fail', 1, { lane: 'low' })
    await eventually(async () => expect(await dead()).toEqual([id]))
    expect(await problemOf(await post(`/${id}/cancel`))).toMatchObject({ status: 409 })
    const waiting = await world.engine.lanes.add('hold', 1, { lane: 'low', delayMs: 60_000 })
    expect(await problemOf(await post(`/${waiting}/retry`))).toMatchObject({ status: 409 })
  })

  test('a limit that is no number is a bad request', async () => {
    expect((await get('/dead?limit=many')).status).toBe(400)
  })
})
