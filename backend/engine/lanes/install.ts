import type { PgQueryResult } from 'bullmq'
import type { Db } from '../db/index.ts'

/** Makes or updates the tables of the queue, in the schema `bullmq`. May be called by many at the same time. */
export async function installLanes(db: Db): Promise<void> {
  const { runMigrations } = await import('bullmq')
  await db.session(async (session) => {
    const query = async (text: string, values?: readonly unknown[]): Promise<PgQueryResult> => ({
      rows: await session.query(text, values),
    })
    await runMigrations({ query })
  })
}
