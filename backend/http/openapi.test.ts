import express from 'express'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { testApp, type TestApp } from '../test/app.ts'
import { createApp } from './app.ts'
import { createApiLog } from './api-log.ts'
import { createCacheLog } from './cache-log.ts'
import { createHitPath } from './hit-path.ts'
import { createRateLimit } from './rate-limit.ts'
import { createPayloads } from './report-answer.ts'
import { testLog } from '../test/log.ts'

const Operation = z.looseObject({
  summary: z.string().min(1),
  tags: z.array(z.string()).length(1),
  responses: z.record(z.string(), z.looseObject({ description: z.string().min(1) })),
})
const Description = z.looseObject({
  openapi: z.literal('3.1.0'),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(z.string().startsWith('/'), z.record(z.string(), Operation)),
  components: z.looseObject({
    schemas: z.record(z.string(), z.unknown()),
    securitySchemes: z.record(z.string(), z.unknown()),
  }),
})
type Description = z.output<typeof Description>

let app: TestApp
let description: Description

beforeAll(async () => {
  app = await testApp()
  description = Description.parse(await (await app.get('/api/openapi.json')).json())
})
afterAll(() => app.stop())

/** Every value in a JSON value, with the values in it. */
function* partsOf(value: unknown): Generator {
  yield value
  if (typeof value !== 'object' || value === null) return
  for (const part of Object.values(value)) yield* partsOf(part)
}

function resolved(root: unknown, pointer: string): unknown {
  const names = pointer.replace(/^#\//, '').split('/')
  const Value = z.record(z.string(), z.unknown())
  return names.reduce((value, name) => Value.catch({}).parse(value)[name], root)
}

const operations = (): string[] =>
  Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )

test('every reference leads somewhere', () => {
  const references = [...partsOf(description)].flatMap((part) => {
    const parsed = z.object({ $ref: z.string() }).safeParse(part)
    return parsed.success ? [parsed.data.$ref] : []
  })
  expect(references.length).toBeGreaterThan(10)
  for (const reference of references) {
    expect([reference, resolved(description, reference)]).not.toEqual([reference, undefined])
  }
})

test('every part of a path is described as a parameter that is required', () => {
  const Parameters = z.looseObject({
    parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })).default([]),
  })
  for (const [path, methods] of Object.entries(description.paths)) {
    const names = Array.from(path.matchAll(/{(\w+)}/g), ([, name]) => name)
    for (const operation of Object.values(methods)) {
      const inPath = Parameters.parse(operation).parameters.filter((one) => one.in === 'path')
      expect([path, inPath.map(({ name }) => name)]).toEqual([path, names])
      expect(inPath.every((one) => one['required'] === true)).toBe(true)
    }
  }
})

test('every operation that needs a token says so, and the others say that they do not', async () => {
  for (const name of operations()) {
    const [method = '', path = ''] = name.split(' ')
    const security = description.paths[path]?.[method]?.['security']
    const url = `${app.url}${path.replace(/{\w+}/, 'x')}`
    const { status } = await fetch(url, { method: method.toUpperCase() })
    expect([name, status === 401]).toEqual([name, JSON.stringify(security) !== '[]'])
  }
})

test('the parameters of a report are those that its route takes', async () => {
  const Parameters = z.looseObject({ parameters: z.array(z.looseObject({ name: z.string() })) })
  const get = description.paths['/api/reports/dashboard-bundle']?.['get']
  const names = Parameters.parse(get).parameters.map(({ name }) => name)
  expect(names.toSorted()).toEqual(
    'assigned_to bust_cache include_test_data profile team_id tenant_id widgets'.split(' '),
  )
})

// ---- the routes of the program ----

/** What the description leaves out: the description itself, and the page that shows it. */
const UNDESCRIBED = /^get \/api\/(docs|openapi\.json)/

type Layer = { route?: { path: string; methods: Record<string, boolean> } }

/** Every route of the Express application, with the path under which its router was mounted. */
function routes(): string[] {
  const use = vi.spyOn(express.application, 'use')
  createApp(partsOfApp())
  const mounted = use.mock.calls.flatMap((call: unknown[]) => {
    const path = typeof call[0] === 'string' ? call[0] : ''
    return call.flat().flatMap((handler) => stackOf(handler).flatMap((layer) => named(path, layer)))
  })
  use.mockRestore()
  return mounted
}

function stackOf(handler: unknown): Layer[] {
  const isRouter = typeof handler === 'function' && 'stack' in handler
  return isRouter && Array.isArray(handler.stack) ? handler.stack : []
}

function named(mount: string, { route }: Layer): string[] {
  if (!route) return []
  const path = `${mount}${route.path}`.replace(/(.)\/$/, '$1').replaceAll(/:(\w+)/g, '{$1}')
  return Object.keys(route.methods).map((method) => `${method} ${path}`)
}

function partsOfApp(): Parameters<typeof createApp>[0] {
  const { log } = testLog()
  const { domains, reports, lanes, cron, views, monitoring } = app.engine
  const [limit, cacheLog, payloads] = [createRateLimit(10), createCacheLog(log), createPayloads(1)]
  const apiLog = createApiLog({ write: async () => {}, isOn: false, log })
  const hitPath = createHitPath({ reports, limit, log: cacheLog, apiLog, payloads })
  return {
    reports: { reports, hitPath, payloads, log: cacheLog },
    cron: { cron },
    views: { domains, views, refreshToken: undefined },
    jobs: { lanes },
    alerts: { incidents: monitoring.incidents },
    system: { health: () => app.engine.health(), isAccepting: () => true },
    authenticate: () => Promise.reject(new Error('Nobody.')),
    limit,
    apiLog,
    bodyLimitBytes: 1,
    log,
  }
}

/** One path for each report, in place of the two routes that serve them all. */
function withReports(route: string): string[] {
  const { all } = app.engine.reports.catalog
  if (route === 'get /api/reports/{alias}') {
    return all.map(({ alias }) => `get /api/reports/${alias}`)
  }
  if (route === 'get /api/reports/{domain}/{report}') {
    return all.map(({ domain, name }) => `get /api/reports/${domain}/${name}`)
  }
  return [route]
}

test('every route is described, and every description has a route', () => {
  const served = routes()
    .filter((route) => !UNDESCRIBED.test(route))
    .flatMap(withReports)
  expect(served.length).toBeGreaterThan(15)
  expect(operations().toSorted()).toEqual(served.toSorted())
})

test('the page with the documentation is whole without the internet', async () => {
  const page = await (await app.get('/api/docs')).text()
  expect(page).not.toMatch(/https?:|\/\//)
  const assets = Array.from(page.matchAll(/(?:src|href)="([^"]+)"/g), ([, path = '']) => path)
  expect(assets).toHaveLength(4)
  for (const path of assets) expect((await app.get(path)).status).toBe(200)
  expect(await (await app.get('/api/docs/start.js')).text()).toContain('/api/openapi.json')
})
