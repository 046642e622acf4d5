export type { Executor, RunContext, RunOutcome } from './executor.ts'
export { createExecutors, type Executors } from './executors.ts'
export {
  type ClaimedRun,
  giveUpRuns,
  leaseUntil,
  type Ledger,
  type ManualRun,
  startManualRun,
  takeOverRuns,
} from './ledger.ts'
export { findRun, listRuns, type Page, type Run, type RunFilter } from './run-history.ts'
export { runJob, type RunEnd } from './run-job.ts'
export { createWorkers, type Workers } from './workers.ts'
