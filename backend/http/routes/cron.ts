import { Router, type RequestHandler, type Response } from 'express'
import * as z from 'zod'
import type { Cron, CronJob, RunAnswer } from '../../engine/cron/index.ts'
import { PrewarmError } from '../../engine/errors.ts'
import type { Principal } from '../../engine/tenancy/index.ts'
import { userOf } from '../access.ts'
import { callerName, callerOf } from '../authentication.ts'
import { Flag, TenantId, Text, Uuid, validate } from '../validate.ts'

export type CronRoutesParts = { cron: Cron }

export const JobsQuery = z.object({ tenant_id: TenantId.optional(), is_active: Flag.optional() })

export const RunsQuery = z.object({
  cron_job_id: Uuid.optional(),
  function_name: Text.optional(),
  status: z.enum(['running', 'success', 'partial', 'failed', 'skipped', 'timeout']).optional(),
  page: z.coerce.number().int().min(1).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})

// Strict, because a misspelled tenant_id would mean all tenants.
export const ExecuteBody = z.strictObject({
  function_name: z.string('function_name is required').max(200),
  tenant_id: TenantId.optional(),
})

/** Superadmins manage all jobs, admins those of their tenant; a scheduler with the cron secret may run what is due. */
export function cronRoutes({ cron }: CronRoutesParts): Router {
  const router = Router()
  router.get('/jobs', listJobs(cron))
  router.post('/jobs', createJob(cron))
  router.get(
    '/jobs/:id',
    withJob(cron, async (job) => ({ job })),
  )
  router.put(
    '/jobs/:id',
    withJob(cron, async ({ id }, body) => ({ job: await cron.jobs.update(id, body) })),
  )
  router.delete(
    '/jobs/:id',
    withJob(cron, async ({ id }) => ({ job: await cron.jobs.remove(id) })),
  )
  router.post('/jobs/:id/run', runJob(cron))
  router.get('/runs', listRuns(cron))
  router.get('/runs/:id', showRun(cron))
  router.post('/run', runDue(cron))
  router.post('/execute', execute(cron))
  return router
}

function listJobs(cron: Cron): RequestHandler {
  return async (request, response) => {
    const user = managerOf(response)
    const query = validate(JobsQuery, request.query, 'query')
    const tenantId = tenantFor(user, query.tenant_id)
    const jobs = await cron.jobs.list({ tenantId, isActive: query.is_active })
    send(response, { jobs, total: jobs.length })
  }
}

function createJob(cron: Cron): RequestHandler {
  return async (request, response) => {
    const user = managerOf(response)
    const body: unknown = request.body
    const { tenant_id } = validate(z.looseObject({ tenant_id: Uuid.nullish() }), body ?? {}, 'body')
    const tenantId = tenantFor(user, tenant_id ?? undefined) ?? null
    const job = await cron.jobs.create({ ...asObject(body), tenant_id: tenantId })
    response.status(201)
    send(response, { job })
  }
}

function asObject(body: unknown): object {
  return typeof body === 'object' && body !== null ? body : {}
}

// A job that the caller may not see does not exist for him.
function withJob(
  cron: Cron,
  act: (job: CronJob, body: unknown) => Promise<object>,
): RequestHandler {
  return async (request, response) => {
    const job = await visibleJob(cron, managerOf(response), String(request.params['id']))
    send(response, await act(job, request.body))
  }
}

async function visibleJob(cron: Cron, user: Principal, id: string): Promise<CronJob> {
  const job = await cron.jobs.get(id)
  if (user.role === 'superadmin' || job.tenant_id === user.tenantId) return job
  throw new PrewarmError('not_found', 'Cron job not found', { field: 'id' })
}

function runJob(cron: Cron): RequestHandler {
  return async (request, response) => {
    const user = managerOf(response)
    const { id } = await visibleJob(cron, user, String(request.params['id']))
    sendRun(response, await cron.runJob(id, user.subject))
  }
}

function execute(cron: Cron): RequestHandler {
  return async (request, response) => {
    const user = callerOf(response).kind === 'scheduler' ? undefined : managerOf(response)
    const body = validate(ExecuteBody, request.body ?? {}, 'body')
    const tenantId = user ? tenantFor(user, body.tenant_id) : body.tenant_id
    sendRun(
      response,
      await cron.execute(body.function_name, {
        tenantId,
        triggeredBy: callerName(callerOf(response)),
      }),
    )
  }
}

function runDue(cron: Cron): RequestHandler {
  return async (_request, response) => {
    if (callerOf(response).kind !== 'scheduler') userOf(response, ['superadmin'])
    send(response, await cron.runDueNow())
  }
}

function listRuns(cron: Cron): RequestHandler {
  return async (request, response) => {
    const user = managerOf(response)
    const { page, limit, cron_job_id, function_name, status } = validate(
      RunsQuery,
      request.query,
      'query',
    )
    const filter = {
      cronJobId: cron_job_id,
      functionName: function_name,
      status,
      tenantId: tenantFor(user, undefined),
    }
    send(response, await cron.runs.list(filter, { page, pageSize: limit }))
  }
}

function showRun(cron: Cron): RequestHandler {
  return async (request, response) => {
    const user = managerOf(response)
    const run = await cron.runs.find(String(request.params['id']))
    if (!run || (user.role !== 'superadmin' && run.tenant_id !== user.tenantId)) {
      throw new PrewarmError('not_found', 'Run not found', { field: 'id' })
    }
    send(response, { run })
  }
}

function managerOf(response: Response): Principal {
  return userOf(response, ['superadmin', 'admin'])
}

/** The tenant that a manager's request is about: what a superadmin asked for, an admin's own. */
function tenantFor({ role, tenantId }: Principal, asked: string | undefined): string | undefined {
  if (role === 'superadmin') return asked
  if (tenantId !== null && (asked === undefined || asked === tenantId)) return tenantId
  throw new PrewarmError('not_found', 'There is no such tenant.', { field: 'tenant_id' })
}

function send(response: Response, data: object): void {
  response.json({ status: 'success', data })
}

/** A run that failed is an answered request, but not a success. */
function sendRun(response: Response, answer: RunAnswer): void {
  const isGood = answer.result.status === 'success' || answer.result.status === 'partial'
  response.status(isGood ? 200 : 500).json({
    status: isGood ? 'success' : 'error',
    message: answer.result.message,
    ...(isGood ? {} : { code: 'run_failed', request_id: response.getHeader('x-request-id') }),
    data: answer,
  })
}
