import { FIRST, laneOf, type LaneQueue } from './job.ts'
import type { Lane } from './lane.ts'

const STARVING: readonly Lane[] = ['normal', 'low']

/** Puts the oldest job of each lower lane before all others, if it has waited for long. */
export async function promoteOldest(queue: LaneQueue, longMs: number): Promise<void> {
  const ids = await queue.getRanges(['prioritized'], 0, -1, true)
  for (const lane of STARVING) {
    const id = ids.find((candidate) => laneOf(candidate) === lane)
    const job = id === undefined ? undefined : await queue.getJob(id)
    const isFirst = job?.priority === FIRST
    if (job && !isFirst && Date.now() - job.timestamp > longMs) {
      await job.changePriority({ priority: FIRST })
    }
  }
}
