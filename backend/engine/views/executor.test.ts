import { describe, expect, test } from 'vitest'
import { refreshExecutor } from './executor.ts'
import type { RefreshResult } from './index.ts'

const NOW = new Date('2026-01-10T12:00:05Z')
const SLOT = new Date('2026-01-10T12:00:00Z')

/** Views whose last refreshes began so long ago, and of which these fail. */
function viewsOf(ages: Record<string, number>, failing: readonly string[] = []) {
  const asked: string[] = []
  const resultOf = (view: string): RefreshResult =>
    failing.includes(view)
      ? { view, status: 'failed', refreshedAt: null, error: 'division by zero' }
      : { view, status: 'refreshed', refreshedAt: NOW, error: null }
  const views = {
    agesMs: async () => new Map(Object.entries(ages)),
    refresh: async (names: readonly string[]) => {
      asked.push(...names)
      return names.map(resultOf)
    },
  }
  return { asked, views }
}

const run = (views: ReturnType<typeof viewsOf>['views'], slot: Date | null) =>
  refreshExecutor(views, { names: ['mv_days', 'mv_staff'], now: () => NOW })({
    runId: '',
    slot,
    tenantId: null,
    metadata: {},
    signal: new AbortController().signal,
  })

describe('a job that refreshes views', () => {
  test('refreshes each of them', async () => {
    const { asked, views } = viewsOf({ mv_days: 9000, mv_staff: 5001 })
    const outcome = await run(views, SLOT)
    expect(asked).toEqual(['mv_days', 'mv_staff'])
    expect(outcome).toMatchObject({
      status: 'success',
      message: '2 views refreshed',
      processed: 2,
      succeeded: 2,
      failed: 0,
    })
  })

  test('leaves those that were refreshed at the slot or after it', async () => {
    const { asked, views } = viewsOf({ mv_days: 5000, mv_staff: 5001 })
    const outcome = await run(views, SLOT)
    expect(asked).toEqual(['mv_staff'])
    expect(outcome).toMatchObject({
      status: 'success',
      message: '1 view refreshed, 1 were already',
    })
  })

  test('by hand refreshes all, however fresh they are', async () => {
    const { asked, views } = viewsOf({ mv_days: 1, mv_staff: 1 })
    await run(views, null)
    expect(asked).toEqual(['mv_days', 'mv_staff'])
  })

  test('ends partial when one of them fails, and names it', async () => {
    const { views } = viewsOf({ mv_days: 9000, mv_staff: 9000 }, ['mv_staff'])
    expect(await run(views, SLOT)).toMatchObject({
      status: 'partial',
      message: '1 view refreshed, mv_staff failed: division by zero',
      succeeded: 1,
      failed: 1,
    })
  })

  test('fails when all do', async () => {
    const { views } = viewsOf({}, ['mv_days', 'mv_staff'])
    expect(await run(views, SLOT)).toMatchObject({ status: 'failed', succeeded: 0, failed: 2 })
  })
})
