import { install } from '../engine/install.ts'
import type { AddCommand } from './command.ts'
import { withEngine, type Context, type Opened } from './context.ts'
import { print, printJson } from './output.ts'

type Flags = { json?: boolean }

export const addMigrate: AddCommand = (program, run) => {
  program
    .command('migrate')
    .description('bring the tables up to date and make the cron jobs that do not exist')
    .option('--json', 'print JSON')
    .action((flags: Flags) => run((context) => migrate(context, flags)))
}

function migrate(context: Context, { json }: Flags): Promise<void> {
  const work = async ({ resources, domains, engine, log }: Opened): Promise<void> => {
    const { applied, views } = await install(resources.db, domains, log)
    const seeded = await engine.seed()
    if (json) return printJson({ applied, views, seeded })
    for (const file of applied) print(`applied ${file}`)
    for (const done of views) print(done)
    for (const name of seeded) print(`seeded  ${name}`)
    if (applied.length + views.length + seeded.length === 0) print('Everything is up to date.')
  }
  return withEngine(context, work, 'database')
}
