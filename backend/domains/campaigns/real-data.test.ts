// What the calls of two real services cost, every sum of it against the files. The services are in zones in which their hour of
// calls lies on two days, so that every call has to be on the right one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testApp, type TestApp } from '../../test/app.ts'
import { hasRealData } from '../../test/real-data.ts'
import { Aggregate, aggregateOf } from './aggregates.ts'
import { daysIn } from './days.ts'
import { microsOf, readCalls, SERVICES, usageOf, type Call } from './llm-calls.ts'
import { refreshViews, workspaceWith } from './test-rows.ts'

// Midnight there is at 18:30 and at 19:00 UTC.
const ZONES = { code: 'Asia/Kolkata', conv: 'Asia/Karachi' }
const NOW = '2023-11-20T12:00:00.000Z'
const DAYS = ['2023-11-16', '2023-11-17']

type Service = { id: string; calls: (Call & { day: string })[] }
type Sums = { tokensIn: number; tokensOut: number; calls: number; cost: number }

describe.skipIf(!hasRealData('campaigns'))('the calls of two services', () => {
  let app: TestApp
  let services: Service[]
  let token: string

  beforeAll(async () => {
    app = await testApp({ clock: () => new Date(NOW) })
    services = await Promise.all(SERVICES.map(load))
    await refreshViews(app.db)
    token = await app.token()
  })
  afterAll(() => app.stop())

  async function load(name: (typeof SERVICES)[number]): Promise<Service> {
    const calls = await readCalls(name)
    const rows = { llm_usage: calls.map(usageOf) }
    const { id, timezone } = await workspaceWith(app.db, rows, ZONES[name])
    const dayOf = daysIn(timezone)
    return { id, calls: calls.map((call) => ({ ...call, day: dayOf(call.time.toISOString()) })) }
  }

  /** Of the file. */
  function sumsOf({ calls }: Service, day: string, model: string): Sums {
    const some = calls.filter((call) => call.day === day && call.model === model)
    const sum = (value: (call: Call) => number): number =>
      some.reduce((total, call) => total + value(call), 0)
    return {
      tokensIn: sum((call) => call.tokensIn),
      tokensOut: sum((call) => call.tokensOut),
      calls: some.length,
      cost: sum(microsOf) / 1e6,
    }
  }

  function modelsOf({ calls }: Service): string[] {
    return [...new Set(calls.map(({ model }) => model))].toSorted()
  }

  async function served(service: Service, day: string): Promise<Aggregate> {
    const query = `workspace_id=${service.id}&start=${day}&end=${day}`
    const response = await app.get(`/api/dashboard/aggregate?${query}`, token)
    return Aggregate.parse(await response.json())
  }

  it('are all there, on two days and of three models', () => {
    const all = services.flatMap(({ calls }) => calls)
    expect(all.length).toBeGreaterThan(28_000)
    for (const service of services)
      for (const day of DAYS)
        for (const model of modelsOf(service))
          expect(sumsOf(service, day, model).calls).toBeGreaterThan(0)
  })

  it('the sums per model and day in the view are those of the files', async () => {
    for (const service of services) {
      const rows = await app.db.query<Sums & { day: string; model: string }>(
        `select day::text, model, total_tokens_in::integer as "tokensIn", total_tokens_out::integer as "tokensOut",
                call_count as calls, total_cost::double precision as cost
         from mv_llm_cost where workspace_id = $1 order by day, model collate "C"`,
        [service.id],
      )
      const expected = DAYS.flatMap((day) =>
        modelsOf(service).map((model) => ({ day, model, ...sumsOf(service, day, model) })),
      )
      expect(rows).toEqual(expected)
    }
  })

  it('the sums per model and day in the report and over HTTP are those of the files', async () => {
    for (const service of services) {
      for (const day of DAYS) {
        const models = modelsOf(service)
        const expected = Object.fromEntries(
          models.map((model) => [model, sumsOf(service, day, model)]),
        )
        const asked = { now: NOW, start: day, end: day }
        expect(byModel(await aggregateOf(app.db, service.id, asked))).toEqual(expected)
        expect(byModel(await served(service, day))).toEqual(expected)
      }
    }
  })

  it('the default range holds every call of the file, and the days of cost add up to it', async () => {
    for (const service of services) {
      const response = await app.get(`/api/dashboard/aggregate?workspace_id=${service.id}`, token)
      const { costBreakdown, campaigns } = Aggregate.parse(await response.json())
      const micros = service.calls.reduce((sum, call) => sum + microsOf(call), 0)
      expect(costBreakdown.total).toEqual({
        cost_usd: micros / 1e6,
        tokens_in: service.calls.reduce((sum, call) => sum + call.tokensIn, 0),
        tokens_out: service.calls.reduce((sum, call) => sum + call.tokensOut, 0),
        calls: service.calls.length,
      })
      const daily = costBreakdown.daily.reduce((sum, { value }) => sum + Math.round(value * 1e6), 0)
      expect(daily).toBe(micros)
      expect(campaigns.stats).toMatchObject([{ campaign: 'Unknown', cost_usd: micros / 1e6 }])
    }
  })
})

function byModel({ costBreakdown }: Aggregate): Record<string, Sums> {
  const rows = costBreakdown.by_model.map(
    ({ model, tokens_in, tokens_out, calls, cost_usd }): [string, Sums] => [
      model,
      { tokensIn: tokens_in, tokensOut: tokens_out, calls, cost: cost_usd },
    ],
  )
  return Object.fromEntries(rows)
}
