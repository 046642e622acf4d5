import * as z from 'zod'
import { badRequest } from '../errors.ts'

// PostgreSQL stores every character but this one.
const text = z
  .string()
  .refine((value) => !value.includes('\0'), 'must not contain the character NUL')

// In JSON text, half of a character outside the basic plane; PostgreSQL's JSON cannot hold it.
const HALF = /(?<!\\)(?:\\\\)*\\ud[89a-f]/
const DEEPEST = 32

function isAtMost(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every((part) => isAtMost(levels - 1, part))
}

const fields = {
  name: text.trim().min(1, 'must not be empty').max(200),
  schedule: text.max(1000),
  function_name: text.max(200),
  is_active: z.boolean(),
  metadata: z
    .record(z.string(), z.unknown(), 'must be an object')
    .refine((value) => isAtMost(DEEPEST, value), {
      message: `must not be nested deeper than ${DEEPEST} levels`,
      abort: true,
    })
    .refine(
      (value) => !JSON.stringify(value).includes(String.raw`\u0000`),
      'must not contain the character NUL',
    )
    .refine((value) => !HALF.test(JSON.stringify(value)), 'must not contain half a character'),
  timezone: text.max(100),
  misfire: z.enum(['skip', 'once']),
  overlap: z.enum(['skip', 'queue']),
  timeout_seconds: z.int().min(1).max(604_800),
  max_attempts: z.int().min(1).max(100),
}

/** The body by which a cron job is made. */
export const newCronJob = z.object({
  ...fields,
  tenant_id: z.guid().nullable().default(null),
  is_active: fields.is_active.default(true),
  metadata: fields.metadata.default({}),
  timezone: fields.timezone.default('UTC'),
  misfire: fields.misfire.default('once'),
  overlap: fields.overlap.default('skip'),
  timeout_seconds: fields.timeout_seconds.default(3600),
  max_attempts: fields.max_attempts.default(3),
})

/** The body by which a cron job is changed; what it leaves out stays. A job's tenant never changes. */
export const cronJobChanges = z.object(fields).exactPartial()

export type NewCronJob = z.output<typeof newCronJob>
export type CronJobChanges = z.output<typeof cronJobChanges>

/** What was given, checked. The first thing that is wrong becomes a bad request that names its field. */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
): z.output<Schema> {
  const result = schema.safeParse(input, { reportInput: true })
  if (result.success) return result.data
  throw refusal(result.error.issues[0])
}

export function checkUuid(field: string, value: string): void {
  if (!z.guid().safeParse(value).success) throw badRequest(field, `${field} must be a UUID.`)
}

function refusal(issue: z.core.$ZodIssue | undefined): Error {
  const [field] = issue?.path ?? []
  if (issue === undefined || field === undefined)
    return badRequest('body', 'The body must be an object.')
  const name = String(field)
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return badRequest(name, `${name} is required`)
  }
  return badRequest(name, `${name}: ${issue.message}.`)
}
