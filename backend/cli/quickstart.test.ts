import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isRunning, openServerFolder, type Running } from '../engine/servers/index.ts'
import { testFolder } from '../test/folder.ts'
import { startProgram, type Environment, type Ended, type Program } from '../test/program.ts'

const PATIENCE_MS = 60_000

let folder: Awaited<ReturnType<typeof testFolder>>
let programs: Program[]
/** Every server that a program of this test has started. */
let servers: Running[]

beforeEach(async () => {
  folder = await testFolder()
  programs = []
  servers = []
})
afterEach(async () => {
  for (const { child } of programs) child.kill('SIGKILL')
  for (const { pid } of servers.filter(isRunning)) process.kill(pid, 'SIGKILL')
  await folder.remove()
})

/** Starts quickstart on a home of its own, and remembers the servers that it starts. */
async function quickstart(args: string, env: Environment = {}): Promise<Program> {
  const program = startProgram(['quickstart', ...args.split(' ')], {
    PREWARM_HOME: folder.path,
    ...env,
  })
  programs.push(program)
  await program.prints(/Cache:/)
  for (const name of ['postgres', 'redis']) {
    const server = openServerFolder(join(folder.path, name)).readServer()
    if (server) servers.push(server)
  }
  return program
}

async function run(args: string, env?: Environment): Promise<Ended> {
  return (await quickstart(args, env)).ended
}

test(
  'quickstart needs nothing, can be repeated, and leaves no process behind',
  async () => {
    const first = await run('--once --tenants 2 --rows 4')
    expect(first.code).toBe(0)
    expect(first.stdout).toContain('2 tenants made, 0 existed')
    expect(first.stdout).toContain('2 tenants, 6 entries warmed')
    expect(first.stdout).toContain('Views:    8 are up to date')
    expect(first.stdout).toContain('/api/dashboard/aggregate?workspace_id=')
    expect(first.stdout).toMatch(/\nTOKEN=\S+\n/)
    const second = await run('--once --tenants 2 --rows 4')
    expect(second.code).toBe(0)
    expect(second.stdout).toContain('Migrated: nothing to do')
    expect(second.stdout).toContain('0 tenants made, 2 existed')
    expect(second.stdout).toContain('Cron:     all jobs existed')
    expect(second.stdout.match(/ 0 entries warmed/g)).toHaveLength(4)
    expect(servers).toHaveLength(4)
    expect(servers.filter(isRunning)).toEqual([])
  },
  PATIENCE_MS,
)

test(
  'quickstart that is stopped in its work, or cannot serve, leaves no process behind either',
  async () => {
    const busy = await quickstart('--tenants 20000')
    await busy.prints(/Demo tenants/)
    expect(servers.filter(isRunning)).toHaveLength(2)
    busy.child.kill('SIGINT')
    expect(await busy.ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('The next run goes on from here.'),
    })
    expect(servers.filter(isRunning)).toEqual([])

    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const PORT = String(typeof address === 'object' ? address?.port : '')
    const taken = await run('--tenants 1 --rows 4', { PORT })
    other.close()
    expect(taken.code).toBe(1)
    expect(taken.stderr).toContain(`PORT: cannot listen on 127.0.0.1:${PORT}`)
    expect(servers).toHaveLength(4)
    expect(servers.filter(isRunning)).toEqual([])
  },
  PATIENCE_MS,
)
