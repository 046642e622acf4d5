import { describe, expect, test } from 'vitest'
import type { Executor } from './executor.ts'
import { createExecutors } from './executors.ts'

const done: Executor = async () => ({
  status: 'success',
  message: '',
  processed: 0,
  succeeded: 0,
  failed: 0,
  details: {},
})

describe('the executors', () => {
  const executors = createExecutors([
    ['warmDashboardBundleCache', done],
    ['prune_job_runs', done],
  ])

  test('an executor answers to its camelCase and its snake_case name', () => {
    const warm = executors.find('warmDashboardBundleCache')
    expect(warm?.name).toBe('warmDashboardBundleCache')
    expect(executors.find('warm_dashboard_bundle_cache')).toBe(warm)
    expect(executors.find('pruneJobRuns')).toBe(executors.find('prune_job_runs'))
    expect(executors.find('pruneJobRuns')?.spellings).toEqual(['prune_job_runs', 'pruneJobRuns'])
  })

  test('the names are sorted, one for each executor', () => {
    expect(executors.names()).toEqual(['prune_job_runs', 'warmDashboardBundleCache'])
  })

  test('an unknown name is a bad request that suggests the nearest and lists them all', () => {
    expect(executors.find('warmDashbordBundleCache')).toBeUndefined()
    expect(() => executors.get('warmDashbordBundleCache')).toThrow(
      expect.objectContaining({
        code: 'bad_request',
        field: 'function_name',
        message:
          'There is no function "warmDashbordBundleCache". Did you mean "warmDashboardBundleCache"?' +
          ' The functions are: prune_job_runs, warmDashboardBundleCache.',
      }),
    )
    expect(() => executors.get('aiTriggersWorker')).toThrow(/"\. The functions are/)
    expect(() => executors.get('constructor')).toThrow(/There is no function/)
  })

  test.each([
    ['refreshAll', 'refresh_all'],
    ['refreshAll', 'refreshAll'],
  ])('the names %s and %s clash and stop the start', (one, other) => {
    expect(() =>
      createExecutors([
        [one, done],
        [other, done],
      ]),
    ).toThrow(expect.objectContaining({ code: 'bad_configuration' }))
  })
})
