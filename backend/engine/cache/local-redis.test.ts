import { join } from 'node:path'
import { statSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testFolder } from '../../test/folder.ts'
import { testLog } from '../../test/log.ts'
import { serverUser } from '../../test/server-user.ts'
import { commandLine, processStart, openServerFolder } from '../servers/index.ts'
import { startLocalRedis } from './local-redis.ts'

let folder: Awaited<ReturnType<typeof testFolder>>
let stops: (() => Promise<unknown>)[]

beforeEach(async () => {
  folder = await testFolder()
  stops = []
})

afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()))
  await folder.remove()
})

test('a started Redis is a cache on loopback that evicts what was used least', async () => {
  const server = await start()
  const settings = await ask(server.url, (redis) =>
    redis.config('GET', 'bind', 'save', 'appendonly', 'maxmemory', 'maxmemory-policy'),
  )
  expect(pairs(settings)).toEqual({
    bind: '127.0.0.1',
    save: '31536000 1',
    appendonly: 'no',
    maxmemory: String(512 * 1024 * 1024),
    'maxmemory-policy': 'allkeys-lru',
  })
})

test('only those who can read its folder know the password', async () => {
  const server = await start()
  const { pid, port } = runningServer()
  const stranger = ask(`redis://127.0.0.1:${port}`, (redis) => redis.get('key'))
  await expect(stranger).rejects.toThrow('NOAUTH')
  expect(commandLine(pid)).not.toContain(new URL(server.url).password)
  expect(statSync(join(folder.path, 'redis.conf')).mode & 0o777).toBe(0o600)
})

test('a Redis whose only user was killed is joined with what it holds, and ends with its last user', async () => {
  const user = await serverUser('redis', folder.path)
  await ask(user.url ?? '', (redis) => redis.set('key', 'value'))
  const { pid } = runningServer()
  await user.kill()
  const server = await start()
  expect(await ask(server.url, (redis) => redis.get('key'))).toBe('value')
  await server.stop()
  expect(processStart(pid)).toBeUndefined()
})

test('a Redis that was stopped holds again what it held', async () => {
  const first = await start()
  await ask(first.url, (redis) => redis.set('key', 'value'))
  await first.stop()
  const second = await start()
  expect(await ask(second.url, (redis) => redis.get('key'))).toBe('value')
})

test('a Redis that was killed does not go back to what it held before', async () => {
  const first = await start()
  await ask(first.url, (redis) => redis.set('key', 'value'))
  await first.stop()
  const second = await start()
  await ask(second.url, (redis) => redis.del('key'))
  process.kill(runningServer().pid, 'SIGKILL')
  const third = await start()
  expect(await ask(third.url, (redis) => redis.get('key'))).toBeNull()
})

test('a killed Redis starts again on its port', async () => {
  const first = await start()
  const { pid } = runningServer()
  process.kill(pid, 'SIGKILL')
  const second = await start()
  expect(second.url).toBe(first.url)
  expect(runningServer().pid).not.toBe(pid)
})

test('without a Redis on the PATH there is none, and nobody fails', async () => {
  const user = await serverUser('redis', folder.path, { PATH: folder.path })
  expect(user.url).toBeNull()
  await user.leave()
})

async function start() {
  const server = await startLocalRedis({ folder: folder.path, log: testLog().log })
  if (server === undefined) throw new Error('This test needs a Redis on the PATH.')
  stops.push(() => server.stop())
  return server
}

function runningServer() {
  const server = openServerFolder(folder.path).readServer()
  if (server === undefined) throw new Error('There is no server.')
  return server
}

async function ask<T>(url: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { retryStrategy: null })
  redis.on('error', () => undefined)
  return question(redis).finally(() => redis.disconnect())
}

function pairs(list: unknown): Record<string, string> {
  const flat = Array.isArray(list) ? list.map(String) : []
  return Object.fromEntries(
    flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? '']] : [])),
  )
}
