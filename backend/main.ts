// The one entry: config → engine → http, or a single command. Without a command it serves.
import { runCli } from './cli/index.ts'
import { domains } from './domains/index.ts'

process.exitCode = await runCli(process.argv.slice(2), domains)
