import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testFolder } from '../test/folder.ts'
import { runProgram, startProgram, type Environment } from '../test/program.ts'

const PATIENCE_MS = 60_000

let folder: Awaited<ReturnType<typeof testFolder>>
let env: Environment

beforeEach(async () => {
  folder = await testFolder()
  env = { PREWARM_HOME: folder.path }
})
afterEach(() => folder.remove())

/** The servers of the folder that run. */
async function servers(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-Ao', 'args'])
  return stdout.split('\n').filter((line) => line.includes(folder.path))
}

test(
  'quickstart needs nothing, can be repeated, and leaves no process behind',
  async () => {
    const small = ['quickstart', '--once', '--tenants', '2', '--rows', '4']
    const first = await runProgram(small, env)
    expect(first.code).toBe(0)
    expect(first.stdout).toContain('2 tenants made, 0 existed')
    expect(first.stdout).toContain('2 tenants, 6 entries warmed')
    expect(first.stdout).toMatch(/\nTOKEN=\S+\n/)
    expect(await servers()).toEqual([])
    const second = await runProgram(small, env)
    expect(second.code).toBe(0)
    expect(second.stdout).toContain('Migrated: nothing to do')
    expect(second.stdout).toContain('0 tenants made, 2 existed')
    expect(second.stdout).toContain('Cron:     all jobs existed')
    expect(await servers()).toEqual([])
  },
  PATIENCE_MS,
)

test(
  'quickstart that is stopped in its work, or cannot serve, leaves no process behind either',
  async () => {
    const busy = startProgram(['quickstart', '--tenants', '20000'], env)
    await busy.prints(/Demo tenants/)
    expect((await servers()).length).toBeGreaterThan(0)
    busy.child.kill('SIGINT')
    expect(await busy.ended).toMatchObject({ code: 1 })
    expect(await servers()).toEqual([])

    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const PORT = String(typeof address === 'object' ? address?.port : '')
    const taken = await runProgram(['quickstart', '--tenants', '1', '--rows', '4'], {
      ...env,
      PORT,
    })
    other.close()
    expect(taken.code).toBe(1)
    expect(taken.stderr).toContain(`PORT: cannot listen on 127.0.0.1:${PORT}`)
    expect(await servers()).toEqual([])
  },
  PATIENCE_MS,
)
