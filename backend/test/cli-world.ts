// What commands need: a database, a Redis and a home folder of the test's own.
import { vi } from 'vitest'
import { runCli } from '../cli/index.ts'
import { domains } from '../domains/index.ts'
import { testDatabase, type TestDatabase } from './database.ts'
import { testFolder } from './folder.ts'
import type { Ended, Environment } from './program.ts'
import { testRedis, type TestRedis } from './redis.ts'

export type CliWorld = {
  database: TestDatabase
  redis: TestRedis
  env: Environment
  run(args: string, env?: Environment): Promise<Ended>
  /** The JSON that a command prints with `--json`. Fails unless it prints that alone and ends well. */
  json(args: string): Promise<unknown>
  end(): Promise<void>
}

/** Where an argument holds a space, `args` has a `+`. */
export async function cliWorld({ empty = false } = {}): Promise<CliWorld> {
  const database = await testDatabase({ empty })
  const redis = await testRedis()
  const folder = await testFolder()
  const env = {
    DATABASE_URL: database.url,
    REDIS_CACHE_URL: redis.url,
    PREWARM_HOME: folder.path,
    PREWARM_DOMAINS: '',
  }
  const run = (args: string, more: Environment = {}): Promise<Ended> =>
    runCommand(args, { ...env, ...more })
  return {
    database,
    redis,
    env,
    run,
    json: async (args) => {
      const { code, stdout, stderr } = await run(`${args} --json`)
      if (code !== 0) throw new Error(`prewarm ${args} ended with ${code}: ${stderr}`)
      return JSON.parse(stdout)
    },
    end: async () => {
      await redis.stop()
      await database.drop()
      await folder.remove()
    },
  }
}

/** A command in this process, which is quicker than the program and otherwise the same. */
export async function runCommand(args: string, env: Environment): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((piece) => {
      said[name] += String(piece)
      return true
    })
  }
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  try {
    const words = args.split(' ').map((word) => word.replaceAll('+', ' '))
    const code = await runCli(words, domains)
    return { code, ...said }
  } finally {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  }
}
