// One PostgreSQL for the whole run, in a folder of its own, and in it one migrated template, which each
// test clones. Durability is off: nothing here outlives the run.
import { rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { TestProject } from 'vitest/node'
import { domains } from '../domains/index.ts'
import { connect, startEmbeddedPostgres } from '../engine/db/index.ts'
import { install } from '../engine/install.ts'
import { isRunning, openServerFolder, endProcess } from '../engine/servers/index.ts'
import { abandonedFolders, testFolder } from './folder.ts'
import { databaseUrl } from './database-url.ts'
import { testLog } from './log.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgres: { url: string; template: string; schemas: string[] }
  }
}

const TEMPLATE = 'prewarm_template'

const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  shared_buffers: '128MB',
}

/** Starts the server and makes the template; what it returns ends the one and with it the other. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await clearUp()
  const folder = await testFolder()
  const { log } = testLog()
  const server = await startEmbeddedPostgres({ folder: folder.path, log, settings: SETTINGS })
  const endNow = () => abandon(folder.path)
  process.once('exit', endNow)
  const teardown = async () => {
    process.off('exit', endNow)
    await server.stop()
    await folder.remove()
  }
  try {
    await createTemplate(server.url)
  } catch (error) {
    await teardown()
    throw error
  }
  const schemas = domains.map(({ name }) => name)
  project.provide('postgres', { url: server.url, template: TEMPLATE, schemas })
  return teardown
}

// Upon Ctrl-C the run exits without its teardown, and there is no time left to wait for anything.
function abandon(folder: string): void {
  const server = openServerFolder(folder).readServer()
  if (server !== undefined && isRunning(server)) process.kill(server.pid, 'SIGQUIT')
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
}

// A run that was killed could not end its servers. Whatever hinders the clearing up, this run has its own.
async function clearUp(): Promise<void> {
  for (const folder of await abandonedFolders()) await clear(folder).catch(() => undefined)
}

async function clear(folder: string): Promise<void> {
  const server = openServerFolder(folder).readServer()
  if (server !== undefined) await endProcess(server, { signals: ['SIGINT', 'SIGKILL'] })
  await rm(folder, { recursive: true, force: true })
}

async function createTemplate(url: string): Promise<void> {
  const { log } = testLog()
  const options = {
    applicationName: 'template',
    max: 2,
    statementTimeoutMs: 60_000,
    schemas: [],
    log,
  }
  const admin = connect({ ...options, connectionString: url })
  await admin.query(`create database ${TEMPLATE}`).finally(() => admin.end())
  const template = connect({ ...options, connectionString: databaseUrl(url, TEMPLATE) })
  await install(template, domains, log).finally(() => template.end())
}
