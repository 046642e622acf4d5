// The command line. Each command is a file.
import { Command, CommanderError } from 'commander'
import type { Domain } from '../engine/domain.ts'
import { messageOf, PrewarmError } from '../engine/errors.ts'
import { addAlerts } from './alerts.ts'
import { addBust } from './bust.ts'
import type { RunCommand } from './command.ts'
import { readContext } from './context.ts'
import { addCron } from './cron.ts'
import { addDemo } from './demo.ts'
import { addDoctor } from './doctor.ts'
import { addJobs } from './jobs.ts'
import { addMigrate } from './migrate.ts'
import { tell } from './output.ts'
import { addQuickstart } from './quickstart.ts'
import { addServe } from './serve.ts'
import { addStatus } from './status.ts'
import { addTenants } from './tenants.ts'
import { addToken } from './token.ts'
import { addViews } from './views.ts'
import { addWarm } from './warm.ts'

const COMMANDS = [
  addServe,
  addQuickstart,
  addMigrate,
  addDemo,
  addWarm,
  addStatus,
  addCron,
  addJobs,
  addViews,
  addAlerts,
  addBust,
  addTenants,
  addToken,
  addDoctor,
]

const WRONG_USAGE = 2

/** Runs one command, and returns the exit code: 2 when it was called wrongly, 1 when anything else went wrong. */
export async function runCli(args: readonly string[], builtIn: readonly Domain[]): Promise<number> {
  let exitCode = 0
  const run: RunCommand = async (work, { loud } = { loud: false }) => {
    exitCode = (await work(await readContext(builtIn, loud ? undefined : 'warn'))) ?? 0
  }
  const program = new Command('prewarm')
    .description('Keeps every tenant’s dashboard warm before anyone opens it.')
    .exitOverride()
    .showSuggestionAfterError()
  for (const add of COMMANDS) add(program, run)
  try {
    await program.parseAsync(args.length > 0 ? [...args] : ['serve'], { from: 'user' })
    return exitCode
  } catch (error) {
    return codeOf(error)
  }
}

// Commander has printed its own complaints, and what --help asked for, already.
function codeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE
  if (!(error instanceof PrewarmError)) {
    tell(error instanceof Error ? (error.stack ?? error.message) : messageOf(error))
    return 1
  }
  tell(error.message)
  return error.code === 'bad_request' ? WRONG_USAGE : 1
}
