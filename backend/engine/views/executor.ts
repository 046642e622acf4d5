import { messageOf } from '../errors.ts'
import type { Executor, RunOutcome } from '../jobs/index.ts'
import type { RefreshResult } from './refresh.ts'
import type { Views } from './views.ts'

/**
 * The executor behind a job that refreshes views. A view whose last refresh began at or after the slot is left as it is,
 * so that a run that is taken over goes on where the former one ended.
 */
export function refreshExecutor(
  views: Pick<Views, 'refresh' | 'agesMs'>,
  { names, now }: { names: readonly string[]; now: () => Date },
): Executor {
  return async ({ slot, signal }) => {
    const due = slot === null ? names : await refreshedBefore(views, names, now, slot)
    const results = await views.refresh(due, { triggeredBy: 'cron', signal })
    signal.throwIfAborted()
    return outcomeOf(names, results)
  }
}

// Ages are compared, not times: those of the views are told by the clock of the database, slots by ours.
async function refreshedBefore(
  views: Pick<Views, 'agesMs'>,
  names: readonly string[],
  now: () => Date,
  slot: Date,
): Promise<string[]> {
  const ages = await views.agesMs()
  const ageOfSlot = now().getTime() - slot.getTime()
  return names.filter((name) => (ages.get(name) ?? Infinity) > ageOfSlot)
}

function outcomeOf(names: readonly string[], results: readonly RefreshResult[]): RunOutcome {
  const failures = results.filter(({ status }) => status !== 'refreshed')
  const succeeded = names.length - failures.length
  const refreshed = results.length - failures.length
  const parts = [
    `${refreshed} ${refreshed === 1 ? 'view' : 'views'} refreshed`,
    ...(names.length > results.length ? [`${names.length - results.length} were already`] : []),
    ...failures.map(({ view, error }) => `${view} failed: ${messageOf(error)}`),
  ]
  return {
    status: failures.length === 0 ? 'success' : succeeded > 0 ? 'partial' : 'failed',
    message: parts.join(', '),
    processed: names.length,
    succeeded,
    failed: failures.length,
    details: {
      views: results.map(({ view, status, refreshedAt, error }) => ({
        view_name: view,
        status,
        refreshed_at: refreshedAt,
        error,
      })),
    },
  }
}
