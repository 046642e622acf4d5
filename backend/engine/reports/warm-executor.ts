import type { Executor, RunContext, RunOutcome } from '../jobs/index.ts'
import type { WarmJob } from '../domain.ts'
import type { InstalledReport } from './catalog.ts'
import type { WarmOptions, WarmSummary } from './warm.ts'

/** How many failed tenants a run names; the count is always whole. */
const NAMED_FAILURES = 100

/**
 * The executor behind a job that warms a report. `all` renews every entry that is older than the slot, so that a run
 * that is taken over goes on where the former one ended; `expired` computes what is missing or past its horizon.
 */
export function warmExecutor(
  warm: (options: WarmOptions) => Promise<WarmSummary>,
  { report, job, now }: { report: InstalledReport; job: WarmJob; now: () => Date },
): Executor {
  return async (context: RunContext) => {
    const renewOlderThan = job.tenants === 'all' ? (context.slot ?? now()) : undefined
    const tenantId = context.tenantId ?? undefined
    const summary = await warm({ tenantId, renewOlderThan, signal: context.signal })
    return outcomeOf(report, summary)
  }
}

function outcomeOf(report: InstalledReport, summary: WarmSummary): RunOutcome {
  const { entries, warmed, skippedFresh, failedEntries, failures } = summary
  const succeeded = warmed + skippedFresh
  return {
    status: failedEntries === 0 ? 'success' : succeeded > 0 ? 'partial' : 'failed',
    message: `[${report.alias}] ${warmed} entries warmed, ${skippedFresh} were fresh, ${failures.length} tenants failed`,
    processed: entries,
    succeeded,
    failed: failedEntries,
    details: {
      total_bundles_warmed: warmed,
      total_tenants: summary.tenants,
      skipped_fresh: skippedFresh,
      bytes: summary.bytes,
      statements: summary.statements,
      elapsed_ms: summary.elapsedMs,
      errors: failures.slice(0, NAMED_FAILURES),
    },
  }
}
