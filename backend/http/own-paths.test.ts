import { expect, test } from 'vitest'
import type { Domain } from '../engine/domain.ts'
import { testLog } from '../test/log.ts'
import { probe } from '../test/probe.ts'
import { startHttp } from './index.ts'
import { checkOwnPaths } from './own-paths.ts'

type Path = `/api/${string}`

function domain(name: string, paths: Path[], endpoints: Path[] = []): Domain {
  const report = { title: 'A report', reads: [], changesAt: 'never' } as const
  return {
    name,
    folder: '',
    sources: {},
    reports: Object.fromEntries(paths.map((path, i) => [`r${i}`, { ...report, path }])),
    refreshEndpoints: endpoints.map((path) => ({ path, views: ['mv'], onGet: 'refresh' })),
    jobs: {},
    schedules: [],
  }
}

const OPTIONS = {
  host: '127.0.0.1',
  port: 0,
  tokens: {
    secret: 'a secret of the tests that is long enough',
    jwksUrl: undefined,
    issuer: undefined,
    audience: undefined,
    cronSecret: undefined,
    refreshToken: undefined,
  },
  rateLimitPerMinute: 100,
  bodyLimitBytes: 1000,
  log: testLog().log,
}

const FIXED = ['/api/cron/jobs', '/api/cron/jobs/{id}', '/api/admin/views/{name}/refresh']

test('paths that mean one thing each are taken', () => {
  const shop = domain('shop', ['/api/shop', '/api/shop/list'], ['/api/admin/refresh-shop'])
  const plain = domain('plain', [])
  expect(() => checkOwnPaths([shop, plain, domain('other', ['/api/cron'])], FIXED)).not.toThrow()
})

test.each<[string, Domain[], string]>([
  [
    'two reports with one path',
    [domain('shop', ['/api/list', '/api/list'])],
    'The report shop:r1 cannot have the path /api/list: the report shop:r0 has it.',
  ],
  [
    'two domains with one path, however it is spelled',
    [domain('shop', ['/api/list']), domain('other', ['/api/List'])],
    'The report other:r0 cannot have the path /api/List: the report shop:r0 has it.',
  ],
  [
    'a report and a refresh endpoint',
    [domain('shop', ['/api/list'], ['/api/list'])],
    'A refresh endpoint of shop cannot have the path /api/list: the report shop:r0 has it.',
  ],
  ['a path of the service', [domain('shop', ['/api/cron/jobs'])], 'the service itself has it'],
  ['what is one by accident', [domain('shop', ['/api/cron/jobs/me'])], 'the service itself has it'],
  [
    'what is one in the middle',
    [domain('shop', [], ['/api/admin/views/x/refresh'])],
    'the service itself has it',
  ],
  ['the reports', [domain('shop', ['/api/reports/mine'])], 'the service itself has it'],
  ['the docs', [domain('shop', ['/api/docs'])], 'the service itself has it'],
  ['a pattern', [domain('shop', ['/api/:name'])], 'it must be of the form /api/customers'],
  ['a slash at the end', [domain('shop', ['/api/list/'])], 'it must be of the form'],
  ['nothing', [domain('shop', ['/api/'])], 'it must be of the form'],
])('%s is bad configuration', (_name, domains, sentence) => {
  expect(() => checkOwnPaths(domains, FIXED)).toThrow(
    expect.objectContaining({
      code: 'bad_configuration',
      message: expect.stringContaining(sentence),
    }),
  )
})

test.each<Path>(['/api/cron/runs', '/api/system/health', '/api/admin/views'])(
  'a service whose domain wants %s does not start',
  async (path) => {
    const world = await probe()
    const { engine } = await world.app()
    const domains = [domain('shop', [path])]
    const started = startHttp({ ...OPTIONS, engine: { ...engine, domains } })
    await expect(started).rejects.toMatchObject({ code: 'bad_configuration' })
    await world.end()
  },
)
