import type { Executor, RunContext, RunOutcome } from '../jobs/index.ts'
import type { Job } from '../domain.ts'
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
  { report, job, now }: { report: InstalledReport; job: Job; now: () => Date },
): Executor {
  return async (context: RunContext) => {
    const renewOlderThan = job.tenants === 'all' ? (context.slot ?? now()) : undefined
    const tenantId = context.tenantId ?? undefined
    const summary = await warm({ tenantId, renewOlderThan, signal: context.signal })
    return outcomeOf(report, summary)
  }
}

function outcomeOf(report: InstalledReport, summary: WarmSummary): RunOutcome {
  const failed = summary.failures.length
  const succeeded = summary.warmed + summary.skippedFresh
  return {
    status: failed === 0 ? 'success' : succeeded > 0 ? 'partial' : 'failed',
    message: `[${report.alias}] ${summary.warmed} entries warmed, ${summary.skippedFresh} were fresh, ${failed} tenants failed`,
    processed: succeeded + failed,
    succeeded,
    failed,
    details: {
      total_bundles_warmed: summary.warmed,
      total_tenants: summary.tenants,
      skipped_fresh: summary.skippedFresh,
      bytes: summary.bytes,
      statements: summary.statements,
      elapsed_ms: summary.elapsedMs,
      errors: summary.failures.slice(0, NAMED_FAILURES),
    },
  }
}
