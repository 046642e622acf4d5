import { createDemo } from '../engine/demo.ts'
import { wholeNumber, type AddCommand } from './command.ts'
import { withEngine, type Context } from './context.ts'
import { print, printJson, progressBar, seconds } from './output.ts'

type Flags = { tenants: number; rows?: number; json?: boolean }

export const addDemo: AddCommand = (program, run) => {
  program
    .command('demo')
    .description('make demo tenants with data; those that exist stay as they are')
    .option('--tenants <number>', 'how many', wholeNumber, 25)
    .option('--rows <number>', 'rows of each', wholeNumber)
    .option('--json', 'print JSON')
    .action((flags: Flags) => run((context) => demo(context, flags)))
}

function demo(context: Context, { tenants, rows, json }: Flags): Promise<void> {
  return withEngine(context, async ({ resources, domains }) => {
    const start = performance.now()
    const onProgress = progressBar('Demo tenants')
    const made = await createDemo(resources.db, domains, {
      tenants,
      rows,
      now: new Date(),
      onProgress,
    })
    const elapsedMs = Math.round(performance.now() - start)
    if (json) printJson({ made, existed: tenants - made, elapsed_ms: elapsedMs })
    else print(`${made} tenants made in ${seconds(elapsedMs)}, ${tenants - made} existed`)
  })
}
