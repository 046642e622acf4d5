// What the README says is done as it says, line by line.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { settings } from '../config.ts'
import { testFolder } from './folder.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** The lines of the first block of commands after `mark`. */
function linesAfter(mark: string): string[] {
  const [, block = ''] = /```bash\n([\s\S]*?)```/.exec(readme.slice(readme.indexOf(mark))) ?? []
  return block.split('\n').filter(Boolean)
}

let folder: Awaited<ReturnType<typeof testFolder>>
let port: number
let service: ChildProcess

beforeAll(async () => {
  // The start script would install the packages anew below the feet of every test that runs.
  const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
  const stamp = join(ROOT, 'node_modules', '.prewarm-installed')
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    throw new Error('The packages are not those of package-lock.json: run scripts/setup.sh first.')
  }
  folder = await testFolder()
  port = await freePort()
  service = run(linesAfter('## Two commands'))
  await said(service, 'Serving on')
}, 120_000)

afterAll(async () => {
  if (service.pid && service.exitCode === null) process.kill(-service.pid, 'SIGKILL')
  await folder.remove()
})

describe('the quick start', () => {
  const lines = linesAfter('<!-- quick start -->')
  const setters = lines.filter((line) => /^[A-Z]+=/.test(line))
  const others = lines.filter((line) => !setters.includes(line))
  const names = setters.map((line) => line.slice(0, line.indexOf('=')))
  let variables: string[] = []

  beforeAll(async () => {
    const { output } = await finished(run([...setters, `declare -p ${names.join(' ')}`]))
    variables = output.split('\n').filter((line) => line.startsWith('declare'))
  }, 60_000)

  test('sets what its lines use', () => expect(variables).toHaveLength(names.length))

  test.each(others)('%s', { timeout: 60_000 }, async (line) => {
    const { code, output } = await finished(run([...variables, line]))
    expect(`exit ${String(code)}\n${output}`).toMatch(/^exit 0\n./)
    expect(output).toMatch(expected(line))
  })
})

/** Those lines that show the headers are the first to read a dashboard, which is warm. */
function expected(line: string): RegExp {
  if (line.startsWith('curl -i')) return /HTTP\/1\.1 200 [\s\S]*\nX-Cache: HIT\r/i
  if (line.includes('/api/reports')) return /"status":"success"/
  if (line.startsWith('curl')) return /"(success|customers)":|redis-cache/
  return /./
}

test('a dashboard of your own is made, migrated and warmed', { timeout: 60_000 }, async () => {
  const { code, output } = await finished(run(linesAfter('<!-- own dashboard -->')))
  expect(`exit ${String(code)}\n${output}`).toMatch(/^exit 0\n./)
  expect(output).toMatch(/shop:totals: 25 tenants, 25 entries warmed/)
})

test('Ctrl-C ends the service', { timeout: 20_000 }, async () => {
  const ended = once(service, 'exit')
  if (service.pid) process.kill(-service.pid, 'SIGINT')
  expect(await ended).toEqual([0, null])
})

test('the settings are those of the program, with their defaults', () => {
  const rows = settings.map(({ name, fallback, description }) =>
    `| \`${name}\` | ${fallback} | ${description} |`.replaceAll('  ', ' '),
  )
  const from = readme.indexOf('<!-- settings -->')
  const table = readme.slice(from, readme.indexOf('<!-- end of settings -->'))
  expect(table.split('\n').filter((line) => line.startsWith('| `'))).toEqual(rows)
})

test('the second command is the one that runs this', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  expect(readme).toContain('```bash\nnpm test\n```')
  expect(scripts.test).toBe('scripts/test.sh')
})

/** Runs lines of the README in the checkout, as a stranger without any settings would, but on a free port. */
function run(lines: readonly string[]): ChildProcess {
  const world = [
    'set -euo pipefail',
    'unset DATABASE_URL REDIS_CACHE_URL JWT_SECRET JWT_JWKS_URL CRON_SECRET PREWARM_DOMAINS',
    `export PORT=${port} PREWARM_HOME=${folder.path}/home`,
  ]
  const script = [...world, ...lines]
    .join('\n')
    .replaceAll('localhost:4001', `127.0.0.1:${port}`)
    .replaceAll('/tmp/shop', `${folder.path}/shop`)
  return spawn('bash', ['-c', script], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function said(child: ChildProcess, words: string): Promise<void> {
  if (!child.stdout) throw new Error('It has no output.')
  const heard: string[] = []
  child.stderr?.on('data', (data) => heard.push(String(data)))
  for await (const line of createInterface(child.stdout)) {
    heard.push(line)
    if (line.includes(words)) break
  }
  if (!heard.some((line) => line.includes(words))) throw new Error(heard.join('\n'))
  child.stdout.resume()
}

async function finished(child: ChildProcess): Promise<{ code: unknown; output: string }> {
  let output = ''
  child.stdout?.on('data', (data) => (output += String(data)))
  child.stderr?.on('data', (data) => (output += String(data)))
  const [code] = await once(child, 'close')
  return { code, output }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
