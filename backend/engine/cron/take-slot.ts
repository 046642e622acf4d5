// One due job: decide, claim, run. Called by the tick and by "run what is due" alike.
import { runJob, type RunEnd } from '../jobs/index.ts'
import { claimSlot, type NotClaimed, skipSlot, type SlotOfJob } from './claim-slot.ts'
import { due, GRACE_MS } from './due.ts'
import type { JobRow } from './job-row.ts'
import type { Parts } from './parts.ts'
import { slotsOrPause } from './plan-jobs.ts'

/** `LeftDue`: it is left as it is for another tick or another instance. `Paused`: its row was wrong. */
export type Taken = RunEnd | 'Skipped' | 'LeftDue' | 'Paused' | NotClaimed

export async function takeSlot(parts: Parts, job: JobRow, stop: AbortSignal): Promise<Taken> {
  if (parts.workers.isStopping || job.next_run === null) return 'LeftDue'
  const slotAfter = await slotsOrPause(parts, job)
  if (slotAfter === undefined) return 'Paused'
  const now = parts.ledger.clock()
  const verdict = due({ nextRun: job.next_run, misfire: job.misfire }, now, slotAfter)
  if (verdict.act === 'wait') return 'LeftDue'
  const slotOfJob = { job, slot: verdict.slot, next: verdict.next }
  if (verdict.act === 'skip') return skipSlot(parts.ledger, slotOfJob, TOO_LATE)
  if (waitsForAnother(parts, slotOfJob, now)) return 'LeftDue'
  return claimAndRun(parts, slotOfJob, stop)
}

const TOO_LATE = 'It was due too long ago, and this job does not run late.'
const STILL_RUNNING = 'An earlier run of this job was still going on.'

// While a new version is rolled out, old instances meet jobs that only the new ones know. They get a
// while to take it; after that it is claimed here, and fails with a message.
function waitsForAnother({ executors }: Parts, { job }: SlotOfJob, now: Date): boolean {
  const dueSince = job.next_run?.getTime() ?? now.getTime()
  return executors.find(job.function_name) === undefined && now.getTime() - dueSince < GRACE_MS
}

async function claimAndRun(parts: Parts, slot: SlotOfJob, stop: AbortSignal): Promise<Taken> {
  const claimed = await claimSlot(parts.ledger, slot)
  if (claimed === 'SlotTaken') return claimed
  if (claimed !== 'StillRunning') return runJob(parts, claimed, stop)
  return slot.job.overlap === 'queue' ? 'StillRunning' : skipSlot(parts.ledger, slot, STILL_RUNNING)
}
