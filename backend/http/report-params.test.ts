import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import type { TestApp } from '../test/app.ts'
import { problemOf } from '../test/http-world.ts'
import { probe, type Probe } from '../test/probe.ts'

let world: Probe
let app: TestApp
let tenantId: string
let token: string

const PARAMS = z.object({
  search: z.string().max(500).optional(),
  from: z.iso.date('must be a date such as 2026-01-31').optional(),
  // The first page is what is answered anyway.
  page: z
    .string()
    .regex(/^[1-9]\d*$/, 'must be a whole number from 1')
    .default('1')
    .transform((page) => (page === '1' ? undefined : page)),
})

const SQL = `
  select id as tenant_id,
         json_build_object(
           'computation', probe.visit(id), 'search', :'search', 'from', :'from', 'page', :'page'
         ) as data
  from probe.tenants
  where id = any (:'tenant_ids'::uuid[])`

beforeAll(async () => {
  world = await probe({ report: { params: PARAMS }, sql: SQL })
  app = await world.app()
  token = await app.token()
})
afterAll(() => world.end())
beforeEach(async () => {
  const [id = ''] = await world.tenants(1)
  tenantId = id
  await app.engine.reports.bust('all')
})

const pathOf = (query = ''): string =>
  `/api/reports/probe/counted?tenant_id=${tenantId}${query && `&${query}`}`

const Answer = z.object({
  data: z.looseObject({ search: z.string(), from: z.string(), page: z.string() }),
})

async function read(query = '') {
  const response = await app.get(pathOf(query), token)
  const { data } = Answer.parse(await response.json())
  const { search, from, page } = data
  return { cache: response.headers.get('x-cache'), said: { search, from, page } }
}

test('the SQL is given the parameters as they were asked for, and empty texts for the others', async () => {
  const { said } = await read('search=O%27Brien%20%25&from=2026-01-31')
  expect(said).toEqual({ search: "O'Brien %", from: '2026-01-31', page: '' })
  expect((await read()).said).toEqual({ search: '', from: '', page: '' })
})

test('answers to other parameters are other entries, and in any order the same parameters are one', async () => {
  expect((await read('search=a&page=2')).cache).toBe('MISS')
  expect((await read('page=2&search=a')).cache).toBe('HIT')
  expect((await read('search=a')).cache).toBe('MISS')
  expect((await read('search=A')).cache).toBe('MISS')
  expect(await read('search=a%26page%3D2')).toMatchObject({
    cache: 'MISS',
    said: { search: 'a&page=2', page: '' },
  })
})

test('the answer without parameters is warmed, also for those who spell out what they leave out', async () => {
  const report = app.engine.reports.catalog.find('probe', 'counted')
  if (!report) throw new Error('There is no report.')
  await app.engine.reports.warm(report, { tenantId })
  for (const query of ['', 'search=', 'search=&from=', 'page=1', 'page=']) {
    expect([query, (await read(query)).cache]).toEqual([query, 'HIT'])
  }
  expect((await read('page=2')).cache).toBe('MISS')
})

test.each([
  ['from=yesterday', 'from', 'from: must be a date such as 2026-01-31'],
  ['page=0', 'page', 'page: must be a whole number from 1'],
  ['search=a&search=b', 'search', 'search'],
  ['search=%00', 'search', 'search: must not contain the character NUL'],
  [`search=${'x'.repeat(501)}`, 'search', 'search'],
])('%s is a bad request that names the parameter', async (query, field, message) => {
  const problem = await problemOf(await app.get(pathOf(query), token))
  expect(problem).toMatchObject({ status: 400, field, message: expect.stringContaining(message) })
})

test('a bust takes the entries with parameters as well', async () => {
  await read('search=a')
  await read()
  expect(await app.engine.reports.bust({ tenant: tenantId })).toBe(2)
  expect((await read('search=a')).cache).toBe('MISS')
})

test('the parameters are listed and described', async () => {
  const Listed = z.object({
    data: z.object({ reports: z.array(z.looseObject({ parameters: z.unknown() })) }),
  })
  const { data } = Listed.parse(await (await app.get('/api/reports', token)).json())
  expect(data.reports[0]?.parameters).toEqual({ search: 'text', from: 'text', page: 'text' })
  const Described = z.object({
    paths: z.record(
      z.string(),
      z.looseObject({
        get: z
          .object({ parameters: z.array(z.looseObject({ name: z.string() })).default([]) })
          .optional(),
      }),
    ),
  })
  const described = Described.parse(await (await app.get('/api/openapi.json')).json())
  const parameters = described.paths['/api/reports/probe/counted']?.get?.parameters ?? []
  expect(parameters.find(({ name }) => name === 'from')).toMatchObject({
    in: 'query',
    schema: { type: 'string', format: 'date' },
  })
  expect(parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(['search', 'page']))
})

test('what was searched for is not in the log, and its answer is kept for a quarter of an hour only', async () => {
  await app.get(pathOf('search=Jane+Doe'), token)
  const { ttl_seconds } = z
    .object({ data: z.object({ meta: z.object({ ttl_seconds: z.number() }) }) })
    .parse(await (await app.get(pathOf('search=Jane+Doe'), token)).json()).data.meta
  expect(ttl_seconds).toBe(900)
  expect(JSON.stringify(app.log)).toContain(`key=probe:counted:${tenantId}:?…`)
  expect(JSON.stringify(app.log)).not.toMatch(/jane/i)
})
