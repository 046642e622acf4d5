// A market of stalls. Each stall has a table of sales, a view of it, a report over the view and one over the table.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Domain, Report } from '../engine/domain.ts'
import { sumOf } from './sum-report.ts'

/** Of every view. */
export const DEBOUNCE_SECONDS = 0.5

const SCHEMA = `
  create table troubles (stall text not null, what text not null);
  create table rates (factor numeric not null);
  insert into rates values (1);
  create function rate() returns numeric stable language plpgsql as $$
  begin
    return (select factor from market.rates);
  end
  $$;
  create function pass(gate text) returns boolean language plpgsql as $$
  begin
    perform pg_advisory_xact_lock_shared(hashtext('market'), hashtext(gate));
    -- Not by a lock, because for locks nobody waits long.
    while exists (select from market.troubles where stall = gate and what = 'slow') loop
      perform pg_sleep(0.1);
    end loop;
    if exists (select from market.troubles where stall = gate and what = 'full disk') then
      raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
    end if;
    return true;
  end
  $$;`

/** Writes the domain's files into the folder, as a real program loads it, and returns what it loads. */
export async function writeMarket(folder: string, stalls: readonly string[]): Promise<Domain> {
  const domain = { name: 'market', ...ofAll(stalls), jobs: {}, schedules: [] }
  const files: Record<string, string> = {
    'package.json': '{ "type": "module" }',
    'index.js': `export const domain = { folder: import.meta.dirname, ...${JSON.stringify(domain)} }`,
    'schema/001.sql': SCHEMA,
  }
  for (const stall of stalls) Object.assign(files, filesOf(stall))
  for (const part of ['schema', 'views', 'reports']) await mkdir(join(folder, part))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return { folder, ...domain }
}

function filesOf(stall: string): Record<string, string> {
  // The function's query is not known to PostgreSQL, so that what it reads can be dropped under the view.
  const amount = stall === 'rated' ? 'amount * market.rate() as amount' : 'amount'
  return {
    [`schema/${stall}.sql`]: `create table ${stall} (tenant_id uuid not null, item text not null, amount numeric not null);`,
    [`views/mv_${stall}.sql`]: `select tenant_id, item, ${amount} from market.${stall} where (select market.pass('${stall}'))`,
    [`reports/sum_${stall}.sql`]: sumOf(`market.mv_${stall}`),
    [`reports/live_${stall}.sql`]: sumOf(`market.${stall}`),
  }
}

function report(read: string): Report {
  return { title: 'A sum', reads: [read], changesAt: 'never' }
}

function ofAll(stalls: readonly string[]): Pick<Domain, 'sources' | 'views' | 'reports'> {
  const entries = <T>(prefix: string, value: (stall: string) => T): [string, T][] =>
    stalls.map((stall) => [`${prefix}${stall}`, value(stall)])
  return {
    sources: Object.fromEntries(entries('', () => ({ tenantColumn: 'tenant_id' }))),
    views: Object.fromEntries(
      entries('mv_', (stall) => ({
        uniqueBy: ['tenant_id', 'item'] as const,
        reads: [stall],
        refresh: [{ onChange: true, debounceSeconds: DEBOUNCE_SECONDS }, { everySeconds: 3600 }],
        targetLagSeconds: 3600,
      })),
    ),
    reports: Object.fromEntries([
      ...entries('sum_', (stall) => report(`mv_${stall}`)),
      ...entries('live_', report),
    ]),
  }
}
