import { InvalidArgumentError, Option } from 'commander'
import { badRequest } from '../engine/errors.ts'
import type { Principal, Role } from '../engine/tenancy/index.ts'
import { mintToken } from '../http/index.ts'
import { isUuid, uuid, type AddCommand } from './command.ts'
import { tokenOptions, type Context } from './context.ts'
import { print, printJson } from './output.ts'

type Flags = {
  role: Role
  tenant?: string
  user?: string
  team: string[]
  expires: number
  json?: boolean
}

export const addToken: AddCommand = (program, run) => {
  program
    .command('token')
    .description('print a token for the API')
    .addOption(
      new Option('--role <role>', 'what it allows')
        .choices(['superadmin', 'admin', 'member'])
        .default('superadmin'),
    )
    .option('--tenant <id>', 'whose; required for admins and members', uuid)
    .option('--user <id>', 'for whom; a uuid, required for members')
    .option('--team <ids...>', 'teams whose records a member may see', uuids, [])
    .option(
      '--expires <duration>',
      'how long it is good, such as 30m, 12h or 7d',
      duration,
      12 * 3600,
    )
    .option('--json', 'print JSON')
    .action((flags: Flags) => run((context) => token(context, flags)))
}

async function token(context: Context, flags: Flags): Promise<void> {
  const { secret, jwksUrl } = await tokenOptions(context)
  if (jwksUrl)
    throw badRequest('JWT_JWKS_URL', 'Tokens come from the identity provider of JWT_JWKS_URL.')
  const signed = await mintToken(secret, principalOf(flags), flags.expires)
  if (flags.json) printJson({ token: signed, expires_in: flags.expires })
  else print(signed)
}

function principalOf({ role, tenant, user, team }: Flags): Principal {
  if (role !== 'superadmin' && tenant === undefined) {
    throw badRequest('--tenant', `--tenant is required for the role ${role}.`)
  }
  if (role === 'member' && !isUuid(user)) {
    throw badRequest('--user', '--user is required for members, and must be a uuid.')
  }
  return { subject: user ?? 'cli', role, tenantId: tenant ?? null, teamIds: team }
}

function uuids(text: string, before: string[]): string[] {
  return [...before, uuid(text)]
}

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }

function duration(text: string): number {
  const [, number, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? []
  const seconds = Number(number) * (UNIT_SECONDS[unit] ?? Number.NaN)
  if (Number.isSafeInteger(seconds) && seconds > 0) return seconds
  throw new InvalidArgumentError('It must be a number and a unit, such as 30m, 12h or 7d.')
}
