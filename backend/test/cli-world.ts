// What a command needs: a database, a Redis and a home folder of the test's own.
import type { TestDatabase } from './database.ts'
import { testDatabase } from './database.ts'
import { testFolder } from './folder.ts'
import { runProgram, type Ended, type Environment } from './program.ts'
import { testRedis, type TestRedis } from './redis.ts'

export type CliWorld = {
  database: TestDatabase
  redis: TestRedis
  home: string
  env: Environment
  run(args: string, env?: Environment): Promise<Ended>
  /** The JSON that a command prints with `--json`. Fails unless it prints that alone and ends well. */
  json(args: string): Promise<unknown>
  end(): Promise<void>
}

/** `args` are separated by spaces; one that holds a space itself is written with `_` in its place. */
export async function cliWorld({ empty = false } = {}): Promise<CliWorld> {
  const [database, redis, folder] = [
    await testDatabase({ empty }),
    await testRedis(),
    await testFolder(),
  ]
  const env = {
    DATABASE_URL: database.url,
    REDIS_CACHE_URL: redis.url,
    PREWARM_HOME: folder.path,
  }
  const run = (args: string, more: Environment = {}): Promise<Ended> =>
    runProgram(
      args.split(' ').map((arg) => arg.replaceAll('_', ' ')),
      { ...env, ...more },
    )
  return {
    database,
    redis,
    home: folder.path,
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
