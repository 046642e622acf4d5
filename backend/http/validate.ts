import * as z from 'zod'
import { badRequest, type PrewarmError } from '../engine/errors.ts'

/** The parsed input, or `bad_request` naming the first field that is wrong. `where` stands in for the field of the whole. */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  where: string,
): z.output<Schema> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  throw firstProblem(parsed.error, where)
}

function firstProblem(error: z.ZodError, where: string): PrewarmError {
  const [issue] = error.issues
  if (issue?.code === 'unrecognized_keys') {
    const [key = where] = issue.keys
    return badRequest(key, `${key} is not a field of this ${where}.`)
  }
  const field = issue?.path.join('.') || where
  const message = issue?.message ?? 'is wrong'
  return badRequest(field, message.startsWith(field) ? message : `${field}: ${message}`)
}

/** PostgreSQL stores every character but this one. */
export const Text = z
  .string()
  .refine((text) => !text.includes('\0'), 'must not contain the character NUL')

/** A uuid in its canonical, lower-case form. */
export const Uuid = z.guid('must be a uuid').transform((id) => id.toLowerCase())

/** A tenant's id as front ends send it when they have none: empty, or the word null. */
export const tenantIdAs = (name: string) =>
  z
    .string()
    .refine((text) => text !== '' && text !== 'null', `${name} is required`)
    .pipe(Uuid)

export const TenantId = tenantIdAs('tenant_id')

export const Flag = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((text) => text === 'true')
