// `npm run bench:hit [SECONDS]`: a warm bundle through the whole route with authentication, beside a bare server that sends the same
// bytes and an Express route that reads JSON from Redis, parses it and answers it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { print, tell } from '../cli/output.ts'
import { runProgram, startServer } from './child.ts'
import { withServers } from './servers.ts'

const [seconds = 5] = process.argv.slice(2).map(Number)
const ROUNDS = 3
const CONNECTIONS = 16
const ROWS = '2000'

type Load = { perSecond: number; p99: number; failed: number }
type Side = { name: string; url: string; headers: Record<string, string>; loads: Load[] }

await withServers(async (servers) => {
  tell('Making and warming tenants…')
  await runProgram('main.ts', ['migrate'], servers)
  await runProgram('main.ts', ['demo', '--tenants', '5', '--rows', ROWS], servers)
  await runProgram('main.ts', ['warm'], servers)

  const settings = { ...servers, PORT: '0', RATE_LIMIT_PER_MINUTE: '1000000000' }
  const prewarm = await startServer<Service>('bench/prewarm-server.ts', [], settings)
  const ours = sideOf('prewarm, the whole route', prewarm.printed)
  const bytes = Buffer.from(await (await fetch(ours.url, { headers: ours.headers })).arrayBuffer())
  const file = join(servers.PREWARM_HOME, 'bundle.json')
  writeFileSync(file, bytes)
  const bare = await startServer<{ port: number }>('bench/bare-server.ts', [file], settings)
  const express = await startServer<{ port: number }>('bench/express-server.ts', [file], settings)
  const sides = [
    ours,
    {
      name: '(a) bare node:http',
      url: `http://127.0.0.1:${bare.printed.port}/`,
      headers: {},
      loads: [],
    },
    {
      name: '(b) Express, Redis, JSON',
      url: `http://127.0.0.1:${express.printed.port}/bundle`,
      headers: {},
      loads: [],
    },
  ]
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const side of sides) {
      const load = await loadOf(side)
      // The first round is for warming up.
      if (round > 0) side.loads.push(load)
    }
  }
  await Promise.all([prewarm, bare, express].map((server) => server.stop()))
  report(sides, bytes.length)
})

type Service = { port: number; token: string; tenant: string }

function sideOf(name: string, { port, token, tenant }: Service): Side {
  const url = `http://127.0.0.1:${port}/api/reports/dashboard-bundle?tenant_id=${tenant}`
  return { name, url, headers: { authorization: `Bearer ${token}` }, loads: [] }
}

async function loadOf({ url, headers }: Side): Promise<Load> {
  const result = await autocannon({ url, headers, connections: CONNECTIONS, duration: seconds })
  const failed = result.errors + result.non2xx
  return { perSecond: result.requests.average, p99: result.latency.p99, failed }
}

function report(sides: readonly Side[], bytes: number): void {
  print(
    `\na bundle of ${bytes} bytes, ${CONNECTIONS} connections, median of ${ROUNDS} rounds of ${seconds} s`,
  )
  print(`${''.padEnd(26)}  requests/s   p99 ms   failed`)
  for (const side of sides) {
    const failed = side.loads.reduce((sum, load) => sum + load.failed, 0)
    const rate = median(side.loads, 'perSecond').toFixed(0).padStart(10)
    print(
      `${side.name.padEnd(26)}  ${rate}  ${median(side.loads, 'p99').toFixed(1).padStart(7)}  ${String(failed).padStart(7)}`,
    )
  }
  const [ours, ...others] = sides
  for (const other of ours ? others : []) {
    const ratio = median(ours?.loads ?? [], 'perSecond') / median(other.loads, 'perSecond')
    print(`prewarm : ${other.name} = ${ratio.toFixed(2)}`)
  }
}

function median(loads: readonly Load[], figure: 'perSecond' | 'p99'): number {
  const sorted = loads.map((load) => load[figure]).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
