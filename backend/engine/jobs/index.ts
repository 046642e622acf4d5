export type { Executor, RunContext, RunOutcome } from './executor.ts'
export { createExecutors, type Executors, type NamedExecutor } from './executors.ts'
export {
  type ClaimedRun,
  giveUpRuns,
  leaseUntil,
  type Ledger,
  type ManualRun,
  type RunStatus,
  startManualRun,
  takeOverRuns,
} from './ledger.ts'
export { findRun, listRuns, type Page, type Run, type RunFilter } from './run-history.ts'
export { runJob, type RunEnd, type Workshop } from './run-job.ts'
export { createWorkers, type Task, type Workers } from './workers.ts'
export { nearest } from './nearest.ts'
