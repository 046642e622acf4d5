// Clients that insert one row per transaction, as fast as they can.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'

export type Writing = { url: string; table: string; clients: number; commitsEach: number }

export const TENANT = '00000000-0000-4000-8000-000000000001'

const run = promisify(execFile)

export async function hasPgbench(): Promise<boolean> {
  return run('pgbench', ['--version']).then(
    () => true,
    () => false,
  )
}

/** Commits per second, by pgbench. */
export async function pgbench({ url, table, clients, commitsEach }: Writing): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'prewarm-pgbench-'))
  const script = join(folder, 'insert.sql')
  writeFileSync(
    script,
    `\\set amount random(1, 1000)\ninsert into ${table} (tenant_id, amount) values ('${TENANT}', :amount);\n`,
  )
  const size = ['-c', String(clients), '-j', '2', '-t', String(commitsEach)]
  const args = ['-n', '-M', 'prepared', ...size, '-f', script, url]
  try {
    const { stdout } = await run('pgbench', args)
    const [, tps] = /tps = ([\d.]+)/.exec(stdout) ?? []
    if (!tps) throw new Error(`pgbench did not tell its figure: ${stdout}`)
    return Number(tps)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Commits per second, by clients in this process, where there is no pgbench. */
export async function ownWriters({ url, table, clients, commitsEach }: Writing): Promise<number> {
  const write = async (): Promise<void> => {
    const client = new Client({ connectionString: url, application_name: 'pgbench' })
    await client.connect()
    const text = `insert into ${table} (tenant_id, amount) values ($1, $2)`
    for (let amount = 0; amount < commitsEach; amount += 1)
      await client.query({ name: 'insert', text, values: [TENANT, amount] })
    await client.end()
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: clients }, write))
  return (clients * commitsEach * 1000) / (performance.now() - start)
}
