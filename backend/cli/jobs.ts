import type { Command } from 'commander'
import { LANES, type JobView, type Lanes } from '../engine/lanes/index.ts'
import type { AddCommand, RunCommand } from './command.ts'
import { withEngine } from './context.ts'
import { print, printJson, table } from './output.ts'

type Flags = { json?: boolean }

export const addJobs: AddCommand = (program, run) => {
  const jobs = program.command('jobs').description('the jobs in the lanes')
  jobs
    .command('list')
    .description('how many jobs there are in each lane, and those that run')
    .option('--json', 'print JSON')
    .action((flags: Flags) => withLanes(run, (lanes) => list(lanes, flags)))
  jobs
    .command('dead')
    .description('jobs whose last attempt failed')
    .option('--json', 'print JSON')
    .action((flags: Flags) =>
      withLanes(run, async (lanes) => showAll(await lanes.deadLetters(), flags)),
    )
  onJob(jobs, 'retry', 'put a dead job back into its lane, under a new id').action(
    (id: string, flags: Flags) =>
      withLanes(run, async (lanes) => say({ id: await lanes.retry(id), retried: id }, flags)),
  )
  onJob(jobs, 'cancel', 'remove a job that waits, or stop one that runs').action(
    (id: string, flags: Flags) =>
      withLanes(run, async (lanes) => {
        await lanes.cancel(id)
        say({ id, cancelled: true }, flags)
      }),
  )
}

function onJob(jobs: Command, name: string, description: string): Command {
  return jobs
    .command(name)
    .description(description)
    .argument('<id>', 'its id')
    .option('--json', 'print JSON')
}

function withLanes(run: RunCommand, work: (lanes: Lanes) => Promise<void>): Promise<void> {
  return run((context) => withEngine(context, ({ engine }) => work(engine.lanes)))
}

async function list(lanes: Lanes, { json }: Flags): Promise<void> {
  const [counts, active] = await Promise.all([lanes.counts(), lanes.active()])
  if (json) return printJson({ lanes: counts, active })
  const head = ['lane', 'waiting', 'active', 'delayed', 'failed', 'completed']
  const rows = LANES.map((lane) => {
    const { waiting, active: running, delayed, failed, completed } = counts[lane]
    return [lane, ...[waiting, running, delayed, failed, completed].map(String)]
  })
  print(table([head, ...rows]))
  if (active.length > 0) print(`\n${jobTable(active)}`)
}

function showAll(jobs: readonly JobView[], { json }: Flags): void {
  if (json) printJson({ jobs, total: jobs.length })
  else print(jobs.length === 0 ? 'There are none.' : jobTable(jobs))
}

function jobTable(jobs: readonly JobView[]): string {
  const head = ['id', 'kind', 'attempts', 'progress', 'ended', 'error']
  const rows = jobs.map(({ id, kind, attempts, progress, ended_at, error }) => [
    id,
    kind,
    String(attempts),
    `${progress} %`,
    ended_at ?? '-',
    error ?? '',
  ])
  return table([head, ...rows])
}

function say(answer: { id: string } & Record<string, unknown>, { json }: Flags): void {
  if (json) printJson(answer)
  else print(answer.id)
}
