// Two tenants whose data tells them apart, and everybody who may ask for it.
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { testApp, type AppOptions, type TestApp } from './app.ts'

export const CRON_SECRET = 'the-secret-of-the-platform-scheduler'

export const BUNDLE = '/api/reports/dashboard-bundle'

export type TenantWorld = {
  id: string
  /** A member without a team, and a team with a member of its own. */
  member: string
  team: string
  teamMember: string
  tokens: { admin: string; member: string; teamMember: string }
}

export type HttpWorld = TestApp & {
  a: TenantWorld
  b: TenantWorld
  superadmin: string
  /** Every role of tenant `a`, the superadmin and the scheduler, by name. */
  callers: Record<Caller, string>
}

export type Caller = 'superadmin' | 'admin' | 'member' | 'scheduler'

export async function httpWorld(options: AppOptions = {}): Promise<HttpWorld> {
  const app = await testApp({ cronSecret: CRON_SECRET, ...options })
  const [a, b] = [await tenantWorld(app, 'Alpha'), await tenantWorld(app, 'Beta')]
  const superadmin = await app.token()
  const { admin, member } = a.tokens
  return {
    ...app,
    a,
    b,
    superadmin,
    callers: { superadmin, admin, member, scheduler: CRON_SECRET },
  }
}

async function tenantWorld(app: TestApp, name: string): Promise<TenantWorld> {
  const [id, member, team, teamMember] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]
  const admin = await app.token({ subject: `admin of ${name}`, role: 'admin', tenantId: id })
  const tokens = {
    admin,
    member: await app.token({ subject: member, role: 'member', tenantId: id }),
    teamMember: await app.token({
      subject: teamMember,
      role: 'member',
      tenantId: id,
      teamIds: [team],
    }),
  }
  await app.db.query('insert into tenant (id, name) values ($1, $2)', [id, name])
  await app.db.query(
    `insert into crm.leads (tenant_id, company, assigned_to, assigned_to_team)
     values ($1, $2 || ' nobody', null, null), ($1, $2 || ' member', $3, null),
            ($1, $2 || ' team', null, $4), ($1, $2 || ' boss', $5, null)`,
    [id, name, member, team, randomUUID()],
  )
  return { id, member, team, teamMember, tokens }
}

const Leads = z.object({
  data: z.object({ lists: z.object({ recentLeads: z.array(z.object({ company: z.string() })) }) }),
})

/** The companies of the leads in a bundle, in alphabetical order. */
export async function companiesIn(response: Response): Promise<string[]> {
  const { data } = Leads.parse(await response.json())
  return data.lists.recentLeads.map(({ company }) => company).toSorted()
}

const Problem = z.strictObject({
  status: z.literal('error'),
  message: z.string().min(1),
  code: z.string(),
  field: z.string().optional(),
  request_id: z.string(),
})

/** What an answer says is wrong. Fails for a body that is not of the form of every error. */
export async function problemOf(
  response: Response,
): Promise<{ status: number; code: string; field: string | undefined; message: string }> {
  const problem = Problem.parse(await response.json())
  if (problem.request_id !== response.headers.get('x-request-id')) {
    throw new Error('The request_id of the body is not that of the header.')
  }
  const { code, field, message } = problem
  return { status: response.status, code, field, message }
}
