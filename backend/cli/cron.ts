import type { Command } from 'commander'
import type { Cron, CronJob } from '../engine/cron/index.ts'
import { badRequest } from '../engine/errors.ts'
import type { AddCommand, RunCommand } from './command.ts'
import { withEngine } from './context.ts'
import { print, printJson, table } from './output.ts'
import { refuseForeignMemory } from './warm.ts'

type Flags = { json?: boolean; reason?: string }

export const addCron: AddCommand = (program, run) => {
  const cron = program.command('cron').description('the cron jobs')
  cron
    .command('list')
    .description('all cron jobs')
    .option('--json', 'print JSON')
    .action((flags: Flags) => withCron(run, async (jobs) => list(await jobs.jobs.list({}), flags)))
  onJob(cron, 'run', 'run a job now and wait for it').action((name: string, flags: Flags) =>
    withCron(run, (jobs) => runNow(jobs, name, flags), { writesCache: true }),
  )
  onJob(cron, 'pause', 'stop running a job')
    .option('--reason <text>', 'why', 'paused from the command line')
    .action((name: string, flags: Flags) =>
      withCron(run, async (jobs) => {
        const { id } = await find(jobs, name)
        show(await jobs.jobs.pause(id, flags.reason ?? ''), flags)
      }),
    )
  onJob(cron, 'resume', 'run a paused job again, from its next slot on').action(
    (name: string, flags: Flags) =>
      withCron(run, async (jobs) => {
        const { id } = await find(jobs, name)
        show(await jobs.jobs.resume(id), flags)
      }),
  )
}

function onJob(cron: Command, name: string, description: string): Command {
  return cron
    .command(name)
    .description(description)
    .argument('<job>', 'its name, its id, or its function')
    .option('--json', 'print JSON')
}

function withCron(
  run: RunCommand,
  work: (cron: Cron) => Promise<number | void>,
  { writesCache } = { writesCache: false },
): Promise<void> {
  return run((context) =>
    withEngine(context, async (opened) => {
      if (writesCache) refuseForeignMemory(opened)
      return work(opened.engine.cron)
    }),
  )
}

async function find(cron: Cron, name: string): Promise<CronJob> {
  const jobs = await cron.jobs.list({})
  const found = jobs.filter((job) => [job.id, job.name, job.function_name].includes(name))
  if (found[0] && found.length === 1) return found[0]
  const names = jobs.map((job) => `"${job.name}"`).join(', ')
  throw badRequest(
    'job',
    found.length === 0
      ? `There is no job "${name}". There are: ${names}.`
      : `More than one job is meant by "${name}"; give its name.`,
  )
}

async function runNow(cron: Cron, name: string, { json }: Flags): Promise<number> {
  const { id } = await find(cron, name)
  const answer = await cron.runJob(id, 'cli')
  if (json) printJson(answer)
  else print(`${answer.result.status} in ${answer.duration_ms} ms: ${answer.result.message}`)
  return answer.result.success ? 0 : 1
}

function list(jobs: readonly CronJob[], { json }: Flags): void {
  if (json) return printJson({ jobs, total: jobs.length })
  const head = ['name', 'function', 'schedule', 'zone', 'active', 'last run', 'next run']
  print(table([head, ...jobs.map(cells)]))
}

function cells(job: CronJob): string[] {
  const { name, function_name, schedule, timezone, last_run, next_run } = job
  const active = job.is_active ? 'yes' : `no: ${job.paused_reason ?? ''}`
  return [name, function_name, schedule, timezone, active, last_run ?? 'never', next_run ?? '-']
}

function show(job: CronJob, { json }: Flags): void {
  if (json) printJson({ job })
  else
    print(
      `${job.name}: ${job.is_active ? `next run ${job.next_run}` : `paused (${job.paused_reason})`}`,
    )
}
