import { MINUTE } from '../clock.ts'

/** The first slot after an instant, exclusive; undefined while the job has no zone to be due in. */
export type SlotAfter = (after: Date) => Date | undefined

/** What is to be done about a job now. `next` is when it is due again. */
export type Verdict = { act: 'wait' } | { act: 'run' | 'skip'; slot: Date; next: Date | undefined }

/** How late a job with the misfire policy `skip` may still run. */
export const GRACE_MS = MINUTE

/**
 * Slots that were missed collapse to the latest of them. With the misfire policy `once` it is run,
 * however late; with `skip` only within the grace.
 */
export function due(
  job: { nextRun: Date; misfire: 'skip' | 'once' },
  now: Date,
  slotAfter: SlotAfter,
): Verdict {
  if (job.nextRun > now) return { act: 'wait' }
  const slot = latestSlot(job.nextRun, now, slotAfter)
  const isLate = now.getTime() - slot.getTime() > GRACE_MS
  const act = job.misfire === 'skip' && isLate ? 'skip' : 'run'
  return { act, slot, next: slotAfter(now) }
}

// Looks back from now, four times as far each time, so that neither a long outage nor a rare schedule
// takes many steps. A `from` that is no slot of the schedule was set by hand, and counts as one.
function latestSlot(from: Date, now: Date, slotAfter: SlotAfter): Date {
  for (let reach = MINUTE; now.getTime() - reach > from.getTime(); reach *= 4) {
    const slot = slotAfter(new Date(now.getTime() - reach))
    if (slot === undefined) return from
    if (slot <= now) return lastUpTo(now, slot, slotAfter)
  }
  return lastUpTo(now, from, slotAfter)
}

function lastUpTo(now: Date, first: Date, slotAfter: SlotAfter): Date {
  let slot = first
  let next = slotAfter(slot)
  while (next !== undefined && next <= now) {
    slot = next
    next = slotAfter(slot)
  }
  return slot
}
