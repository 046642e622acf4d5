import type { BustTarget } from '../engine/cache/index.ts'
import { badRequest } from '../engine/errors.ts'
import { uuid, type AddCommand } from './command.ts'
import { withEngine, type Context } from './context.ts'
import { print, printJson } from './output.ts'
import { refuseForeignMemory } from './warm.ts'

type Flags = { tenant?: string; report?: string; all?: boolean; json?: boolean }

export const addBust: AddCommand = (program, run) => {
  program
    .command('bust')
    .description('drop entries from the cache: of one tenant, of one report, or all')
    .option('--tenant <id>', 'of this tenant', uuid)
    .option('--report <name>', 'of this report, such as crm:dashboard_bundle')
    .option('--all', 'everything')
    .option('--json', 'print JSON')
    .action((flags: Flags) => run((context) => bust(context, flags)))
}

function bust(context: Context, flags: Flags): Promise<void> {
  const target = targetOf(flags)
  return withEngine(context, async (opened) => {
    refuseForeignMemory(opened)
    const { reports } = opened.engine
    if (flags.report !== undefined)
      checkReport(
        flags.report,
        reports.catalog.all.map(({ id }) => id),
      )
    const entries = await reports.bust(target)
    if (flags.json) printJson({ entries })
    else print(`${entries} entries dropped`)
  })
}

function targetOf({ tenant, report, all }: Flags): BustTarget {
  const given = [tenant, report, all].filter((flag) => flag !== undefined)
  if (given.length !== 1) throw badRequest('--all', 'Give one of --tenant, --report and --all.')
  if (report !== undefined) return { report }
  return tenant === undefined ? 'all' : { tenant }
}

function checkReport(name: string, known: readonly string[]): void {
  if (known.includes(name)) return
  throw badRequest('--report', `--report: there is no "${name}". There are: ${known.join(', ')}.`)
}
