// A network between us and a server (Redis, PostgreSQL) that can be made to misbehave.
import { EventEmitter, once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type FaultProxy = {
  port: number
  /** A URL of the server behind, changed so that it leads through the proxy. */
  through(url: string): string
  /** Everything arrives this much later, in both directions, until `heal`. */
  delay(ms: number): void
  /** Connections are accepted and nothing arrives any more; after `heal` it arrives late. */
  drop(): void
  /** Connections are destroyed, and new ones refused. */
  cut(): Promise<void>
  heal(): Promise<void>
  stop(): Promise<void>
}

type Weather = { delayMs: number; gate: Gate | undefined }
type Gate = { opened: Promise<unknown>; open: () => void }

export async function faultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  const weather: Weather = { delayMs: 0, gate: undefined }
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target.port, target.host)
    join(near, far, weather)
    for (const socket of [near, far]) remember(socket, sockets)
  })
  const port = await listen(server, 0)
  const calm = () => {
    weather.delayMs = 0
    weather.gate?.open()
    weather.gate = undefined
  }
  const cut = () => close(server, sockets)
  return {
    port,
    through: (url) => rerouted(url, port),
    delay: (ms) => void (weather.delayMs = ms),
    drop: () => void (weather.gate ??= gate()),
    cut,
    heal: async () => {
      calm()
      if (!server.listening) await listen(server, port)
    },
    stop: async () => {
      await cut()
      calm()
    },
  }
}

function join(near: Socket, far: Socket, weather: Weather): void {
  for (const socket of [near, far]) socket.setNoDelay(true)
  carry(near, far, weather)
  carry(far, near, weather)
}

// Each piece has its own time of arrival, so a delay costs latency and not throughput.
function carry(from: Socket, to: Socket, weather: Weather): void {
  let last = Promise.resolve()
  const inTurn = (act: () => void) => {
    const earlier = last
    const arrival = sleep(weather.delayMs)
    last = arrival
      .then(() => earlier)
      .then(() => weather.gate?.opened)
      .then(act)
  }
  from.on('data', (piece) => inTurn(() => to.write(piece)))
  from.on('end', () => inTurn(() => to.end()))
  from.on('close', () => inTurn(() => to.destroy()))
}

function remember(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  // A lost connection is what this is for; `close` follows.
  socket.on('error', () => undefined)
}

function gate(): Gate {
  const emitter = new EventEmitter()
  const opened = once(emitter, 'open')
  return { opened, open: () => emitter.emit('open') }
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

async function close(server: Server, sockets: Set<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy()
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  await closed
}

function rerouted(url: string, port: number): string {
  const detour = new URL(url)
  detour.host = `127.0.0.1:${port}`
  return detour.href
}
