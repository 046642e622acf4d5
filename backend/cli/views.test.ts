import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cliWorld, type CliWorld } from '../test/cli-world.ts'
import { testFolder } from '../test/folder.ts'

const DOMAIN = `export const shop = {
  name: 'shop',
  folder: import.meta.dirname,
  sources: { staff: { tenantColumn: 'tenant_id' } },
  views: {
    mv_staff: {
      uniqueBy: ['tenant_id', 'name'],
      reads: ['staff'],
      refresh: [{ everySeconds: 60 }],
      targetLagSeconds: 90,
    },
  },
  reports: {},
  jobs: { refreshStaff: { refresh: ['mv_staff'] } },
  schedules: [{ name: 'Refresh Staff', at: 'hourly', run: 'refreshStaff' }],
}`

let world: CliWorld
let folder: Awaited<ReturnType<typeof testFolder>>

const run = (args: string) => world.run(args, { PREWARM_DOMAINS: folder.path })
const json = async (args: string): Promise<unknown> =>
  JSON.parse((await run(`${args} --json`)).stdout)

// The tests tell one story.
beforeAll(async () => {
  world = await cliWorld()
  folder = await testFolder()
  const write = (file: string, text: string) => writeFile(join(folder.path, file), text)
  await mkdir(join(folder.path, 'schema'))
  await mkdir(join(folder.path, 'views'))
  await write('index.mjs', DOMAIN)
  await write('schema/001.sql', 'create table staff (tenant_id uuid not null, name text not null)')
  await write('views/mv_staff.sql', 'select tenant_id, name from shop.staff')
})
afterAll(async () => {
  await world.end()
  await folder.remove()
})

test('migrate makes views', async () => {
  const { stdout } = await run('migrate')
  expect(stdout).toContain('applied shop/001.sql\n')
  expect(stdout).toContain('made shop.mv_staff\n')
  expect((await run('migrate')).stdout).toBe('Everything is up to date.\n')
})

test('views list shows how fresh each view is', async () => {
  const { stdout } = await run('views list')
  expect(stdout).toMatch(/^view +age +may be +rows +took +failures +state\n/)
  expect(stdout).toMatch(/\nmv_staff +\d+ s +90 s +0 +\d+ ms +0 +fresh\n/)
  expect(await json('views list')).toMatchObject({
    views: expect.arrayContaining([expect.objectContaining({ view_name: 'mv_staff' })]),
    total: expect.any(Number),
  })
})

test('views refresh refreshes views and waits', async () => {
  expect(await run('views refresh mv_staff')).toMatchObject({
    code: 0,
    stdout: 'mv_staff: refreshed\n',
  })
  expect(await json('views refresh mv_staff')).toMatchObject({
    views: [{ view: 'mv_staff', status: 'refreshed', error: null }],
  })
})

test('views refresh of an unknown view says what was probably meant', async () => {
  expect(await run('views refresh mv_stuff')).toMatchObject({
    code: 2,
    stderr: 'There is no view "mv_stuff". Did you mean "mv_staff"?\n',
  })
})

test('cron run refreshes the views of a job', async () => {
  expect((await run('cron run refreshStaff')).stdout).toMatch(/^success .*1 view refreshed\n$/)
})

test('views check names what is wrong, and a refresh repairs it', async () => {
  expect((await run('views check')).stdout).toMatch(/^All is well with \d+ views?\.\n$/)
  await world.database.db.query('drop index shop.mv_staff_key')
  expect(await run('views check')).toMatchObject({
    code: 1,
    stdout:
      'mv_staff: no unique index. Without one it cannot be refreshed while it is being read.\n',
  })
  await run('views refresh mv_staff')
  expect(await json('views check')).toEqual({ ok: true, problems: [] })
})

test('a refresh that fails ends with 1, and says why', async () => {
  await world.database.db.query('alter table shop.staff rename to people')
  await world.database.db.query('drop materialized view shop.mv_staff')
  const { code, stdout } = await run('views refresh mv_staff')
  expect([code, stdout]).toEqual([
    1,
    'mv_staff: failed: The view mv_staff cannot be made: relation "shop.staff" does not exist.\n',
  ])
  expect((await run('views list')).stdout).toMatch(/ failed: .*does not exist/)
})
