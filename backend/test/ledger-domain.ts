// A small domain: entries (source) → totals (view) → grand (view) → balance (report), and the report direct beside them.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Domain, Report } from '../engine/domain.ts'
import { sumOf } from './sum-report.ts'

/** Whoever holds this advisory lock holds up refreshes after their snapshot. */
export const GATE = 4713

const FILES = {
  'schema/001.sql': `
    create table entries (id bigint primary key, tenant_id uuid not null, amount integer not null);
    create function pass() returns boolean language plpgsql as $$
    begin
      perform pg_advisory_xact_lock_shared(${GATE});
      return true;
    end
    $$;`,
  'views/totals.sql':
    'select tenant_id, id % 2 as kind, sum(amount) as amount from ledger.entries where (select ledger.pass()) group by tenant_id, id % 2',
  'views/grand.sql':
    'select tenant_id, sum(amount) as amount from ledger.totals where (select ledger.pass()) group by tenant_id',
  'reports/balance.sql': sumOf('ledger.grand'),
  'reports/direct.sql': sumOf('ledger.entries'),
}

/** Writes the domain's files into the folder. */
export async function ledgerDomain(folder: string): Promise<Domain> {
  for (const part of ['schema', 'views', 'reports']) await mkdir(join(folder, part))
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text)
  const view = {
    refresh: [{ onChange: true, debounceSeconds: 0 }],
    targetLagSeconds: 60,
  } as const
  const report = { title: 'A sum', changesAt: 'never' } satisfies Partial<Report>
  return {
    name: 'ledger',
    folder,
    sources: { entries: { tenantColumn: 'tenant_id' } },
    views: {
      totals: { ...view, uniqueBy: ['tenant_id', 'kind'], reads: ['entries'] },
      grand: { ...view, uniqueBy: ['tenant_id'], reads: ['totals'] },
    },
    reports: {
      balance: { ...report, reads: ['grand'] },
      direct: { ...report, reads: ['entries'] },
    },
    jobs: {},
    schedules: [],
  }
}
