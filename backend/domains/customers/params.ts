// What the customer page may ask for. A parameter that asks for what comes anyway is as one that was not given, so that it
// is answered by the entry that is kept warm.
import * as z from 'zod'

// Years that PostgreSQL can reckon with, whatever is added to them.
const day = z.iso
  .date()
  .regex(/^(19|20|21)/, 'must lie between 1900 and 2199')
  .optional()

export const period = z
  .object({ dateFrom: day, dateTo: day })
  .refine(({ dateFrom = '', dateTo }) => dateTo === undefined || dateFrom <= dateTo, {
    path: ['dateTo'],
    message: 'must not be before dateFrom',
  })

export const listParams = z.object({
  search: z.string().trim().max(100).optional(),
  isActive: z.enum(['true', 'false']).optional(),
  registrationDateFrom: day,
  registrationDateTo: day,
  lastVisitFrom: day,
  lastVisitTo: day,
  preferredContactMethod: unless(z.enum(['all', 'Phone', 'LINE', 'Email']), 'all'),
  sortBy: unless(
    z.enum(['fullName', 'customerCode', 'registrationDate', 'lastVisit', 'lifetimeValue']),
    'fullName',
  ),
  sortOrder: unless(z.enum(['asc', 'desc']), 'asc'),
  page: unless(z.string().regex(/^[1-9]\d{0,5}$/, 'must be a number from 1 to 999999'), '1'),
  limit: unless(z.string().regex(/^([1-9]\d?|1\d\d|200)$/, 'must be a number from 1 to 200'), '50'),
})

function unless<Value extends string>(
  schema: z.ZodType<Value, Value>,
  usual: Value,
): z.ZodType<string | undefined, string | undefined> {
  return schema.transform((value) => (value === usual ? undefined : value)).optional()
}
