import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../test/cli-world.ts'
import { testFolder } from '../test/folder.ts'
import { runProgram, type Ended, type Environment } from '../test/program.ts'

const TENANT = '11111111-1111-4111-8111-111111111111'
const MEMBER = '22222222-2222-4222-8222-222222222222'
const TEAM = '33333333-3333-4333-8333-333333333333'
const SECRET = 'a secret for tokens that is long enough'

let folder: Awaited<ReturnType<typeof testFolder>>

beforeAll(async () => {
  folder = await testFolder()
})
afterAll(() => folder.remove())

function prewarm(args: string, env: Environment = {}): Promise<Ended> {
  return runCommand(args, {
    PREWARM_HOME: folder.path,
    PREWARM_DOMAINS: '',
    JWT_SECRET: '',
    ...env,
  })
}

test.each([
  ['serv', 'Did you mean serve?'],
  ['status --jsn', 'Did you mean --json?'],
  ['cron lst', 'Did you mean list?'],
  ['warm --tenants', 'Did you mean --tenant?'],
  ['warm --tenant nobody', 'It must be a uuid.'],
  ['demo --tenants many', 'It must be a whole number above 0.'],
  ['demo --tenants 0', 'It must be a whole number above 0.'],
  ['status extra', 'too many arguments'],
  ['bust', 'Give one of --tenant, --report and --all.'],
  [`bust --all --tenant ${TENANT}`, 'Give one of --tenant, --report and --all.'],
  ['token --role root', 'Allowed choices are superadmin, admin, member.'],
  ['token --role admin', '--tenant is required for the role admin.'],
  [`token --role member --tenant ${TENANT}`, '--user is required for members'],
  ['token --expires soon', 'It must be a number and a unit'],
  [`token --expires ${'9'.repeat(400)}d`, 'It must be a number and a unit'],
])('prewarm %s is wrong usage, and what is right is said', async (args, hint) => {
  const { code, stdout, stderr } = await prewarm(args)
  expect(stderr).toContain(hint)
  expect(stderr).not.toMatch(/\n +at /)
  expect([code, stdout]).toEqual([2, ''])
})

test('--help is an answer, not an error', async () => {
  const { code, stdout, stderr } = await prewarm('--help')
  expect([code, stderr]).toEqual([0, ''])
  for (const command of ['serve', 'quickstart', 'warm', 'doctor']) expect(stdout).toContain(command)
})

test('the program ends with the code of its command', async () => {
  const settings = { PORT: 'x', JWT_SECRET: 'short', DATABASE_URL: 'localhost' }
  const [help, typo, wrong] = await Promise.all([
    runProgram(['--help'], {}),
    runProgram(['serv'], {}),
    runProgram(['status'], settings),
  ])
  expect([help.code, typo.code, wrong.code]).toEqual([0, 2, 1])
  expect(typo.stderr).toContain('Did you mean serve?')
  expect(wrong.stderr.trim().split('\n')).toEqual([
    expect.stringMatching(/^DATABASE_URL: must be a URL/),
    expect.stringMatching(/^PORT: must be a/),
    expect.stringMatching(/^JWT_SECRET: must have 32/),
  ])
})

describe('prewarm token', () => {
  test('prints a token and nothing else, signed with the secret that is set', async () => {
    const { code, stdout, stderr } = await runProgram(['token'], { JWT_SECRET: SECRET })
    expect([code, stderr]).toEqual([0, ''])
    const { payload } = await jwtVerify(stdout.trim(), new TextEncoder().encode(SECRET))
    expect(payload).toMatchObject({ role: 'superadmin', sub: 'cli', tenant_id: null })
    expect(Number(payload.exp) - Number(payload.iat)).toBe(12 * 3600)
  })

  test('can be for a member, his teams, and any time', async () => {
    const args = `token --role member --tenant ${TENANT} --user ${MEMBER} --team ${TEAM.toUpperCase()}`
    const { stdout } = await prewarm(`${args} --expires 7d --json`, { JWT_SECRET: SECRET })
    const { token, expires_in } = JSON.parse(stdout)
    expect(expires_in).toBe(7 * 24 * 3600)
    expect(decodeJwt(token)).toMatchObject({
      role: 'member',
      sub: MEMBER,
      tenant_id: TENANT,
      team_ids: [TEAM],
    })
  })

  test('is signed with a secret that is made once and kept, unless one is set', async () => {
    const [one, other] = [await prewarm('token'), await prewarm('token')]
    const secret = await readFile(join(folder.path, 'tokens', 'password'))
    for (const { stdout } of [one, other]) {
      const { payload } = await jwtVerify(stdout.trim(), secret)
      expect(payload.sub).toBe('cli')
    }
    expect((await stat(join(folder.path, 'tokens', 'password'))).mode & 0o077).toBe(0)
  })

  test('is not made where tokens come from an identity provider', async () => {
    const { code, stdout, stderr } = await prewarm('token', { JWT_JWKS_URL: 'https://id/keys' })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('JWT_JWKS_URL')
  })
})
