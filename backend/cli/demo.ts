import { createDemo, type DemoMade } from '../engine/demo.ts'
import { wholeNumber, type AddCommand } from './command.ts'
import { withEngine, type Context, type Opened } from './context.ts'
import { print, printJson, progressBar, seconds } from './output.ts'
import { bringViewsUpToDate, viewsSentence } from './up-to-date.ts'

type Flags = { tenants: number; rows?: number; json?: boolean }

export const addDemo: AddCommand = (program, run) => {
  program
    .command('demo')
    .description('make demo tenants with data; data that exists stays as it is')
    .option('--tenants <number>', 'how many', wholeNumber, 25)
    .option('--rows <number>', 'rows of each', wholeNumber)
    .option('--json', 'print JSON')
    .action((flags: Flags) => run((context) => demo(context, flags)))
}

function demo(context: Context, flags: Flags): Promise<void> {
  return withEngine(context, async (opened) => {
    const start = performance.now()
    const made = await makeDemo(opened, flags)
    const elapsedMs = Math.round(performance.now() - start)
    // Changes are taken off the queue only by those who can tell the cache of them, and one in another process only that can.
    const isOurs = opened.resources.store.kind !== 'memory'
    const behind = isOurs ? await bringViewsUpToDate(opened.engine) : []
    if (flags.json)
      return printJson({ ...counts(made, flags), views_behind: behind, elapsed_ms: elapsedMs })
    print(`${demoSentence(made, flags)}, in ${seconds(elapsedMs)}`)
    if (isOurs) print(`Views: ${viewsSentence(opened.engine, behind)}`)
  })
}

export function makeDemo(
  { resources, domains }: Opened,
  { tenants, rows, signal }: Pick<Flags, 'tenants' | 'rows'> & { signal?: AbortSignal },
): Promise<DemoMade> {
  const onProgress = progressBar('Demo tenants')
  return createDemo(resources.db, domains, { tenants, rows, now: new Date(), signal, onProgress })
}

export function demoSentence(made: DemoMade, flags: Pick<Flags, 'tenants'>): string {
  const { existed, filled } = counts(made, flags)
  const also = filled > 0 ? `, of which ${filled} got the data that they did not have` : ''
  return `${made.tenants} ${made.tenants === 1 ? 'tenant' : 'tenants'} made, ${existed} existed${also}`
}

function counts({ tenants: made, filled }: DemoMade, { tenants }: Pick<Flags, 'tenants'>) {
  return { made, existed: tenants - made, filled }
}
