// One PostgreSQL for the whole run, in a folder of its own, and in it one migrated template, which each
// test clones. Durability is off: nothing here outlives the run.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { domains } from '../domains/index.ts'
import { connect, migrate, startEmbeddedPostgres } from '../engine/db/index.ts'
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

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'prewarm-tests-'))
  await chmod(folder, 0o755)
  const { log } = testLog()
  const server = await startEmbeddedPostgres({ folder, log, settings: SETTINGS })
  const teardown = async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
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
  await migrate(template, migrationFolders()).finally(() => template.end())
}

function migrationFolders(): { scope: string; folder: string }[] {
  const engine = join(import.meta.dirname, '../engine/db/migrations')
  return [
    { scope: 'engine', folder: engine },
    ...domains.map(({ name, folder }) => ({ scope: name, folder: join(folder, 'schema') })),
  ]
}
