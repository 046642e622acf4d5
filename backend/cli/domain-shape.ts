// What a domain from outside of this tree must look like; for those inside, the compiler checks it.
import * as z from 'zod'
import type { Report } from '../engine/domain.ts'

const Name = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, 'must be lower-case letters, digits and underscores')

/** What stands in cache keys, log lines and URLs as it is. */
const Word = z.string().regex(/^[\w-]+$/, 'must be letters, digits, hyphens and underscores')
const Key = z
  .string()
  .regex(/^[\w:-]+$/, 'must be letters, digits, colons, hyphens and underscores')
const QueryName = z.string().regex(/^\w+$/, 'must be letters, digits and underscores')
const Path = z.templateLiteral(['/api/', z.string()], 'must be of the form /api/customers')
const Seconds = z.number('must be a number of seconds').positive('must be more than 0')

const Source = z.looseObject({
  tenantColumn: z.string(),
  table: z
    .string()
    .regex(/^[^.]+\.[^.]+$/, 'must be of the form schema.table')
    .exactOptional(),
  isTracked: z.boolean().exactOptional(),
})

const Policy = z.union(
  [
    z.strictObject({
      everySeconds: Seconds,
      from: z.string().exactOptional(),
      to: z.string().exactOptional(),
      timezone: z.string().exactOptional(),
    }),
    z.strictObject({ onChange: z.literal(true), debounceSeconds: z.number().min(0) }),
    z.strictObject({ onEvent: z.string().min(1) }),
    z.strictObject({ atLocalMidnight: z.literal(true) }),
  ],
  'must be { everySeconds, from?, to?, timezone? }, { onChange: true, debounceSeconds }, { onEvent } or { atLocalMidnight: true }',
)

const Columns = z.tuple([z.string()], z.string())

const View = z.looseObject({
  uniqueBy: Columns,
  reads: z.array(z.string()),
  refresh: z.array(Policy),
  targetLagSeconds: Seconds,
  indexes: z.array(Columns).exactOptional(),
  timeoutSeconds: Seconds.exactOptional(),
})

const Variant = z
  .looseObject({
    param: Name,
    keyName: Word,
    values: z.tuple([Word], Word),
    default: Word,
  })
  .refine((variant) => variant.values.includes(variant.default), {
    path: ['default'],
    message: 'must be one of the values',
  })

// A domain brings a zod of its own, so it is known by what it can do, and not by its class.
const CanParse = z.looseObject({ safeParse: z.function() })
const Params = z.custom<NonNullable<Report['params']>>(
  (value) => CanParse.extend({ shape: z.record(QueryName, CanParse) }).safeParse(value).success,
  'must be a z.object of texts whose names are letters, digits and underscores',
)

const ReportShape = z.looseObject({
  title: z.string(),
  reads: z.array(z.string()),
  changesAt: z.enum(['local midnight', 'never']),
  key: Key.exactOptional(),
  alias: Word.exactOptional(),
  variant: Variant.exactOptional(),
  params: Params.exactOptional(),
  path: Path.exactOptional(),
  tenantParam: QueryName.exactOptional(),
  isBare: z.boolean().exactOptional(),
  scoped: z.boolean().exactOptional(),
  isForMembers: z.boolean().exactOptional(),
  mergesTenants: z.boolean().exactOptional(),
  widgets: z.record(Word, z.array(z.string())).exactOptional(),
})

const ViewNames = z.tuple([z.string()], z.string())

const Job = z.union(
  [
    z.looseObject({ warm: z.string(), tenants: z.enum(['all', 'expired']) }),
    z.looseObject({ refresh: ViewNames }),
  ],
  "must be { warm: REPORT, tenants: 'all' or 'expired' } or { refresh: [VIEW, …] }",
)

const isOfPostgres = (name: string): boolean => /^(pg_.*|public|information_schema)$/.test(name)

export const DomainShape = z.looseObject({
  name: Name.refine((name) => !isOfPostgres(name), 'is a schema of PostgreSQL itself'),
  folder: z.string(),
  sources: z.record(Name, Source),
  views: z.record(Name, View).exactOptional(),
  reports: z.record(Name, ReportShape),
  jobs: z.record(z.string(), Job),
  schedules: z.array(z.looseObject({ name: z.string(), at: z.string(), run: z.string() })),
  refreshEndpoints: z
    .array(z.looseObject({ path: Path, views: ViewNames, onGet: z.enum(['refresh', 'freshness']) }))
    .exactOptional(),
  demo: z.looseObject({ rowsPerTenant: z.int().min(1) }).exactOptional(),
})
