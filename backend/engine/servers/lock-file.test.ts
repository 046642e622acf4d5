import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testFolder } from '../../test/folder.ts'
import { underLock } from './lock-file.ts'

let folder: Awaited<ReturnType<typeof testFolder>>
let path: string

beforeEach(async () => {
  folder = await testFolder()
  path = join(folder.path, 'lock')
})

afterEach(() => folder.remove())

test('the second holder works after the first has finished', async () => {
  const story: string[] = []
  const holder = (name: string) =>
    underLock(path, async () => {
      story.push(`${name} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      story.push(`${name} ends`)
    })
  await Promise.all([holder('first'), holder('second')])
  expect(story).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
})

test('the lock is given back when the work fails', async () => {
  await expect(underLock(path, () => Promise.reject(new Error('no luck')))).rejects.toThrow(
    'no luck',
  )
  expect(existsSync(path)).toBe(false)
})

test('many who find the lock of a dead process get it one after another', async () => {
  writeFileSync(path, JSON.stringify({ pid: deadPid(), start: '1' }))
  let holders = 0
  const work = async () => {
    holders += 1
    await new Promise((resolve) => setImmediate(resolve))
    expect(holders).toBe(1)
    holders -= 1
  }
  await Promise.all(Array.from({ length: 8 }, () => underLock(path, work)))
  expect(readdirSync(folder.path)).toEqual([])
})

test('the lock of a process whose pid another one has now is broken', async () => {
  writeFileSync(path, JSON.stringify({ pid: process.pid, start: 'some other instant' }))
  expect(await underLock(path, async () => 'done')).toBe('done')
})

test('a lock that a crash left half written is broken', async () => {
  writeFileSync(path, '')
  utimesSync(path, 0, 0)
  expect(await underLock(path, async () => 'done')).toBe('done')
})

test('a breaker that a crash left behind does not keep others from breaking', async () => {
  writeFileSync(path, JSON.stringify({ pid: deadPid(), start: '1' }))
  writeFileSync(`${path}.breaking`, '')
  utimesSync(`${path}.breaking`, 0, 0)
  expect(await underLock(path, async () => 'done')).toBe('done')
  expect(readdirSync(folder.path)).toEqual([])
})

function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid
}
