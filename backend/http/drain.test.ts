import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { TEST_SECRET } from '../test/app.ts'
import { testDatabase, type TestDatabase } from '../test/database.ts'
import { gate, type Gate } from '../test/gate.ts'
import { BUNDLE, httpWorld, type HttpWorld } from '../test/http-world.ts'
import { testLog } from '../test/log.ts'
import { startHttp, type HttpServer } from './index.ts'
import { eventually } from '../test/eventually.ts'

// So long Node keeps a connection that nobody uses.
const KEEP_ALIVE_MS = 5000

let database: TestDatabase
let world: HttpWorld
let server: HttpServer
let sockets: Socket[]

beforeAll(async () => {
  database = await testDatabase()
  world = await httpWorld({ databaseUrl: database.url })
})
beforeEach(async () => {
  await world.post('/api/reports/clear-cache', {}, world.superadmin)
  server = await startHttp({
    engine: world.engine,
    host: '127.0.0.1',
    port: 0,
    tokens: {
      secret: TEST_SECRET,
      jwksUrl: undefined,
      issuer: undefined,
      audience: undefined,
      cronSecret: undefined,
      refreshToken: undefined,
    },
    rateLimitPerMinute: 100,
    bodyLimitBytes: 1000,
    log: testLog().log,
  })
  sockets = []
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await server.stop()
})
afterAll(async () => {
  await world.stop()
  await database.drop()
})

type Client = { socket: Socket; received: () => string; ask: (path: string) => void }

async function client(): Promise<Client> {
  const socket = connect(server.port, '127.0.0.1')
  sockets.push(socket)
  let text = ''
  socket.on('data', (piece) => (text += String(piece)))
  await once(socket, 'connect')
  const authorization = `authorization: Bearer ${world.superadmin}`
  return {
    socket,
    received: () => text,
    ask: (path) => void socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n${authorization}\r\n\r\n`),
  }
}

/** From now on every bundle waits, until the gate is opened. */
async function holdReports(): Promise<Gate> {
  const hold = gate()
  void database.db.transaction(async (tx) => {
    await tx.query('lock table crm.leads in access exclusive mode')
    await hold.pass()
  })
  await hold.arrived
  return hold
}

async function reportWaits(): Promise<void> {
  await eventually(async () => {
    const waiting = await database.db.query(
      `select from pg_locks join pg_database d on d.oid = database
       where not granted and datname = current_database()`,
    )
    expect(waiting).toHaveLength(1)
  })
}

test('a request under way is finished after stop began, and says the connection ends', async () => {
  const hold = await holdReports()
  const busy = await client()
  busy.ask(`${BUNDLE}?tenant_id=${world.a.id}`)
  await reportWaits()
  const stopped = server.stop()
  busy.ask('/readyz')
  await expect(client()).rejects.toThrow('ECONNREFUSED')
  expect(busy.received()).toBe('')
  hold.open()
  await once(busy.socket, 'close')
  await stopped
  const [, first = '', second = ''] = busy.received().split('HTTP/1.1 ')
  expect(first).toMatch(/^200 OK[^]*"cached":false}$/)
  expect(second).toMatch(/^503 Service Unavailable[^]*{"status":"not ready"}$/)
  expect(second.toLowerCase()).toContain('connection: close')
})

test('a connection that is kept alive and idle is closed at once', async () => {
  const idle = await client()
  idle.ask('/livez')
  await once(idle.socket, 'data')
  const hold = await holdReports()
  const busy = await client()
  busy.ask(`${BUNDLE}?tenant_id=${world.a.id}`)
  await reportWaits()
  const stopped = server.stop()
  await once(idle.socket, 'close')
  expect(busy.received()).toBe('')
  hold.open()
  await stopped
  expect(busy.received()).toMatch(/^HTTP\/1\.1 200 OK/)
})

test('a connection that becomes idle after stop began is closed then, not when its time is up', async () => {
  const hold = await holdReports()
  const busy = await client()
  busy.ask(`${BUNDLE}?tenant_id=${world.a.id}`)
  await reportWaits()
  const stopped = server.stop()
  hold.open()
  const start = performance.now()
  await Promise.all([once(busy.socket, 'close'), stopped])
  expect(performance.now() - start).toBeLessThan(KEEP_ALIVE_MS / 2)
  expect(busy.received()).toMatch(/^HTTP\/1\.1 200 OK/)
})

test('stopping twice is stopping once, and the second waits as long as the first', async () => {
  const hold = await holdReports()
  const busy = await client()
  busy.ask(`${BUNDLE}?tenant_id=${world.a.id}`)
  await reportWaits()
  const first = server.stop()
  const second = server.stop()
  hold.open()
  await second
  expect(busy.received()).toMatch(/^HTTP\/1\.1 200 OK/)
  await first
})
