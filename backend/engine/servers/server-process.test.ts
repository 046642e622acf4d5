import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { processStart } from './process-start.ts'
import { endProcess } from './server-process.ts'

const SIGNALS = ['SIGTERM', 'SIGKILL'] as const

test('a process that follows the polite signal gets no other', async () => {
  const { running, ended } = await stubborn('process.exit(7)')
  expect(await endProcess(running, { signals: SIGNALS })).toBe(true)
  expect(await ended).toEqual([7, null])
})

test('a process that ignores the polite signal gets the next', async () => {
  const { running, ended } = await stubborn('')
  expect(await endProcess(running, { signals: SIGNALS, patienceMs: 50 })).toBe(true)
  expect(await ended).toEqual([null, 'SIGKILL'])
})

test('a process that ignores every signal is not said to have ended', async () => {
  const { running, ended } = await stubborn('')
  expect(await endProcess(running, { signals: ['SIGTERM'], patienceMs: 50 })).toBe(false)
  process.kill(running.pid, 'SIGKILL')
  await ended
})

test('a process that has the pid of one that ended is left alone', async () => {
  const { running, ended } = await stubborn('process.exit(7)')
  const former = { ...running, start: 'another instant' }
  expect(await endProcess(former, { signals: ['SIGKILL'] })).toBe(true)
  process.kill(running.pid, 'SIGTERM')
  expect(await ended).toEqual([7, null])
})

async function stubborn(onSigterm: string) {
  const program = `process.on('SIGTERM', () => { ${onSigterm} }); setInterval(() => {}, 1e6); console.log('ready')`
  const child = spawn(process.execPath, ['--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  const pid = child.pid ?? 0
  return { running: { pid, start: processStart(pid) ?? '' }, ended }
}
