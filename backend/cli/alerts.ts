import type { Command } from 'commander'
import { INCIDENT_STATUSES, type Incident, type Incidents } from '../engine/monitoring/index.ts'
import { type AddCommand, type RunCommand, uuid, wholeNumber } from './command.ts'
import { withEngine } from './context.ts'
import { print, printJson, table } from './output.ts'

type Flags = { json?: boolean }
type ListFlags = Flags & { all?: boolean; limit: number }

const UNRESOLVED = INCIDENT_STATUSES.filter((status) => status !== 'resolved')

export const addAlerts: AddCommand = (program, run) => {
  const alerts = program.command('alerts').description('what is wrong with views and jobs')
  alerts
    .command('list')
    .description('what is not resolved, the newest first')
    .option('--all', 'what is resolved, too')
    .option('--limit <count>', 'how many at most', wholeNumber, 100)
    .option('--json', 'print JSON')
    .action((flags: ListFlags) => withIncidents(run, (incidents) => list(incidents, flags)))
  onAlert(alerts, 'ack', 'say that somebody is at it').action((id: string, flags: Flags) =>
    withIncidents(run, async (incidents) => show(await incidents.acknowledge(id, 'cli'), flags)),
  )
  onAlert(alerts, 'resolve', 'end it; only a further failure opens another one').action(
    (id: string, flags: Flags) =>
      withIncidents(run, async (incidents) => show(await incidents.resolve(id, 'cli'), flags)),
  )
  onAlert(alerts, 'suppress', 'notify nobody of it any more').action((id: string, flags: Flags) =>
    withIncidents(run, async (incidents) => show(await incidents.suppress(id, 'cli'), flags)),
  )
}

function onAlert(alerts: Command, name: string, description: string): Command {
  return alerts
    .command(name)
    .description(description)
    .argument('<id>', 'its id', uuid)
    .option('--json', 'print JSON')
}

function withIncidents(
  run: RunCommand,
  work: (incidents: Incidents) => Promise<void>,
): Promise<void> {
  return run((context) => withEngine(context, ({ engine }) => work(engine.monitoring.incidents)))
}

async function list(incidents: Incidents, { json, all, limit }: ListFlags): Promise<void> {
  const statuses = all ? INCIDENT_STATUSES : UNRESOLVED
  const { alerts, total } = await incidents.list(statuses, { page: 1, pageSize: limit })
  if (json) return printJson({ alerts, total })
  if (total === 0) return print('There are no alerts.')
  const head = ['id', 'status', 'since', 'times', 'message']
  print(table([head, ...alerts.map(cells)]))
}

function cells({ id, status, opened_at, occurrences, message }: Incident): string[] {
  return [id, status, opened_at, String(occurrences), message]
}

function show(alert: Incident, { json }: Flags): void {
  if (json) printJson({ alert })
  else print(`${alert.status}: ${alert.message}`)
}
