import { listActiveTenants } from '../engine/tenancy/index.ts'
import { wholeNumber, type AddCommand } from './command.ts'
import { withEngine, type Context } from './context.ts'
import { print, printJson, table } from './output.ts'

type Flags = { limit?: number; ids?: boolean; json?: boolean }

export const addTenants: AddCommand = (program, run) => {
  program
    .command('tenants')
    .description('the active tenants, the most recently seen first')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .option('--ids', 'print nothing but their ids')
    .option('--json', 'print JSON')
    .action((flags: Flags) => run((context) => tenants(context, flags)))
}

function tenants(context: Context, { limit, ids, json }: Flags): Promise<void> {
  return withEngine(context, async ({ resources }) => {
    const found = (await listActiveTenants(resources.db)).slice(0, limit)
    if (json) printJson({ tenants: found, total: found.length })
    else if (ids) found.forEach(({ id }) => print(id))
    else
      print(
        table([
          ['id', 'name', 'zone'],
          ...found.map(({ id, name, timezone }) => [id, name, timezone]),
        ]),
      )
  })
}
