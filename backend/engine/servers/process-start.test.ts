import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { commandLine, isRunning, processStart } from './process-start.ts'

const PROGRAM = [process.execPath, '--eval', 'process.stdin.resume()'] as const

test('a living process has a start that does not change, and a command line', () => {
  const start = processStart(process.pid) ?? ''
  const before = process.cpuUsage()
  while (process.cpuUsage(before).user < 30_000) commandLine(process.pid)
  expect(isRunning({ pid: process.pid, start })).toBe(true)
  expect(commandLine(process.pid)).toContain('node')
})

test('a process that took over the pid of another is not taken for it', () => {
  expect(isRunning({ pid: process.pid, start: 'some other instant' })).toBe(false)
})

test('a process that ended has no start', async () => {
  const [file, ...args] = PROGRAM
  const child = spawn(file, args)
  const pid = child.pid ?? 0
  const start = processStart(pid)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(start).toBeDefined()
  expect(start).not.toBe(processStart(process.pid))
  expect(processStart(pid)).toBeUndefined()
  expect(commandLine(pid)).toBe('')
})

test('a process that ended and was not collected by its parent has no start', async () => {
  const script = 'read line & echo $!; exec sleep 60'
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = Number(String((await once(parent.stdout, 'data'))[0]))
  await expect.poll(() => processStart(pid)).toBeUndefined()
  parent.kill('SIGKILL')
  await once(parent, 'exit')
})
