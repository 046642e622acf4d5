import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { cliWorld, type CliWorld } from '../test/cli-world.ts'
import { gate } from '../test/gate.ts'
import { startProgram, type Program } from '../test/program.ts'
import { eventually } from '../test/eventually.ts'

const TEN_SECONDS_MS = 10_000
const CRON_SECRET = 'the-secret-of-the-scheduler'

let world: CliWorld
let programs: Program[]

beforeEach(async () => {
  programs = []
  world = await cliWorld()
})
afterEach(async () => {
  for (const { child } of programs) child.kill('SIGKILL')
  await Promise.all(programs.map(({ ended }) => ended))
  await world.end()
})

function serve(env: Record<string, string> = {}): Program {
  const program = startProgram(['serve'], { ...world.env, PORT: '0', CRON_SECRET, ...env })
  programs.push(program)
  return program
}

async function urlOf(program: Program): Promise<string> {
  const [, url = ''] = await program.prints(/Listening on (\S+)/)
  return url
}

/** Asks the program to end, and tells how it did. */
async function endBy(signal: NodeJS.Signals, { child, ended }: Program): Promise<object> {
  const start = performance.now()
  child.kill(signal)
  const { code, stderr } = await ended
  return { code, stderr, isInTime: performance.now() - start < TEN_SECONDS_MS }
}

const WELL = { code: 0, stderr: '', isInTime: true }

async function aRunIsUnderWay(): Promise<void> {
  const running = await world.database.db.query(
    `select from job_runs where status = 'running' and kind = 'manual'`,
  )
  if (running.length === 0) throw new Error('None.')
}

test('SIGTERM ends it well, after the request that is under way', async () => {
  const program = serve()
  const url = await urlOf(program)
  const hold = gate()
  const held = world.database.db.transaction(async (tx) => {
    await tx.query('lock table crm.leads in access exclusive mode')
    await hold.pass()
  })
  await hold.arrived
  const request = fetch(`${url}/api/cron/execute`, {
    method: 'POST',
    headers: { authorization: `Bearer ${CRON_SECRET}` },
    body: '{"function_name": "warmDashboardBundleCache"}',
  })
  await vi.waitFor(aRunIsUnderWay, { timeout: TEN_SECONDS_MS })
  const ended = endBy('SIGTERM', program)
  await program.prints(/Stopping: requests under way are finished/)
  await eventually(() => expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed'))
  hold.open()
  await held
  expect(await (await request).json()).toMatchObject({ data: { result: { success: true } } })
  expect(await ended).toEqual(WELL)
})

test('SIGINT ends it well too, and so does a SIGTERM while it starts', async () => {
  const [running, starting] = [serve(), serve()]
  await Promise.all([urlOf(running), starting.prints(/The data lies in/)])
  expect(await Promise.all([endBy('SIGINT', running), endBy('SIGTERM', starting)])).toEqual([
    WELL,
    WELL,
  ])
})

test('it ends in time when the queue cannot be reached, too', async () => {
  const program = serve({ REDIS_QUEUE_URL: 'redis://127.0.0.1:1' })
  await urlOf(program)
  expect(await endBy('SIGTERM', program)).toMatchObject({ code: 0, isInTime: true })
}, 40_000)

test('an address that cannot be had is a sentence that names the setting', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const port = String(typeof address === 'object' ? address?.port : '')
  const [taken, nowhere] = await Promise.all([
    serve({ PORT: port }).ended,
    serve({ HOST: '203.0.113.1' }).ended,
  ])
  other.close()
  expect([taken.code, nowhere.code]).toEqual([1, 1])
  expect(taken.stderr).toMatch(/^PORT: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*\.\n$/)
  expect(nowhere.stderr).toMatch(/^HOST: cannot listen on 203\.0\.113\.1:0: .*\.\n$/)
})
