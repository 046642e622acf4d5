import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { faultProxy, type FaultProxy } from './fault-proxy.ts'

let echo: Server
let port: number
let proxy: FaultProxy
let socket: Socket

beforeEach(async () => {
  echo = createServer((peer) => peer.on('error', () => undefined).pipe(peer)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const address = echo.address()
  port = typeof address === 'object' ? (address?.port ?? 0) : 0
  proxy = await faultProxy({ host: '127.0.0.1', port })
  socket = await open()
})

afterEach(async () => {
  socket.destroy()
  await proxy.stop()
  await once(echo.close(), 'close')
})

test('what is sent through the proxy comes back', async () => {
  expect(await say('hello')).toBe('hello')
})

test('a delay holds an answer back in both directions', async () => {
  proxy.delay(40)
  const before = performance.now()
  await say('hello')
  expect(performance.now() - before).toBeGreaterThan(75)
})

test('pieces keep their order when a delay ends', async () => {
  proxy.delay(50)
  await write('first ')
  await sayElsewhere('anything')
  proxy.delay(0)
  await write('second')
  expect(await hear('first second')).toBe('first second')
})

test('dropped traffic arrives after the network healed', async () => {
  proxy.drop()
  const answer = say('hello')
  await sayElsewhere('hello')
  expect(socket.bytesRead).toBe(0)
  await proxy.heal()
  expect(await answer).toBe('hello')
})

test('a cut ends connections and refuses new ones, until it heals on the same port', async () => {
  const closed = once(socket, 'close')
  await proxy.cut()
  await closed
  await expect(open()).rejects.toThrow('ECONNREFUSED')
  await proxy.heal()
  socket = await open()
  expect(await say('hello')).toBe('hello')
})

test('a URL of the server is led through the proxy with its secrets and path', () => {
  const url = proxy.through('postgres://user:secret@127.0.0.1:5432/prewarm')
  expect(url).toBe(`postgres://user:secret@127.0.0.1:${proxy.port}/prewarm`)
})

async function open(): Promise<Socket> {
  const opened = connect(proxy.port, '127.0.0.1')
  await once(opened, 'connect')
  return opened
}

function write(text: string): Promise<void> {
  return new Promise((resolve) => void socket.write(text, () => resolve()))
}

function say(text: string): Promise<string> {
  socket.write(text)
  return hear(text)
}

// It takes the same way through a proxy of its own, so it comes back later than what was sent before it and is not held.
async function sayElsewhere(text: string): Promise<void> {
  const other = await faultProxy({ host: '127.0.0.1', port })
  const peer = connect(other.port, '127.0.0.1')
  peer.write(text)
  await once(peer, 'data')
  peer.destroy()
  await other.stop()
}

async function hear(text: string): Promise<string> {
  let heard = ''
  while (heard.length < text.length) heard += String(await once(socket, 'data'))
  return heard
}
