import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'
import { connect, type Db } from '../engine/db/index.ts'
import { databaseUrl } from './database-url.ts'
import { testLog } from './log.ts'

export { testLog, type LogEntry } from './log.ts'

export type TestDatabase = { url: string; db: Db; drop: () => Promise<void> }

const CLONE_ATTEMPTS = 100
const CLONE_PAUSE_MS = 100

/** A migrated database of your own, or an empty one. Give it back with `drop`. */
export async function testDatabase({ empty = false } = {}): Promise<TestDatabase> {
  const server = inject('postgres')
  const name = `test_${randomBytes(6).toString('hex')}`
  await onServer((admin) => clone(admin, name, empty ? 'template0' : server.template))
  const url = databaseUrl(server.url, name)
  const db = connectTo(url, server.schemas)
  return {
    url,
    db,
    drop: async () => {
      await db.end()
      await onServer((admin) => admin.query(`drop database if exists ${name} with (force)`))
    },
  }
}

async function clone(admin: Db, name: string, template: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await admin.query(`create database ${name} template ${template} strategy file_copy`)
      return
    } catch (error) {
      if (!isTemplateInUse(error) || attempt === CLONE_ATTEMPTS) throw error
      await sleep(CLONE_PAUSE_MS)
    }
  }
}

function isTemplateInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '55006'
}

async function onServer(work: (admin: Db) => Promise<unknown>): Promise<void> {
  const admin = connectTo(inject('postgres').url, [])
  await work(admin).finally(() => admin.end())
}

function connectTo(connectionString: string, schemas: readonly string[]): Db {
  const { log } = testLog()
  const options = { applicationName: 'test', max: 10, statementTimeoutMs: 15_000 }
  return connect({ ...options, connectionString, schemas, log })
}
