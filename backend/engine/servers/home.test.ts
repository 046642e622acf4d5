import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testFolder } from '../../test/folder.ts'
import { canReach, chooseHome, makeEnterable, SHARED_HOME } from './home.ts'

const STRANGER = { name: 'stranger', uid: 4_000_001, gid: 4_000_001 }

let folder: Awaited<ReturnType<typeof testFolder>>
let home: string

beforeEach(async () => {
  folder = await testFolder()
  home = join(folder.path, 'checkout', 'home')
})

afterEach(() => folder.remove())

test('a home that the account of the servers can reach is taken, also before it exists', () => {
  expect(chooseHome(home, STRANGER)).toBe(home)
})

test('a home below a folder that only we can enter is replaced by one in the shared home', () => {
  mkdirSync(join(folder.path, 'checkout'), { mode: 0o700 })
  const chosen = chooseHome(home, STRANGER)
  expect(chosen).toMatch(new RegExp(`^${SHARED_HOME}/[0-9a-f]{8}$`))
  expect(chooseHome(home, STRANGER)).toBe(chosen)
  expect(chooseHome(`${home}-of-another`, STRANGER)).not.toBe(chosen)
})

test('whoever is not root can keep any home, because the servers run as the same user', () => {
  mkdirSync(join(folder.path, 'checkout'), { mode: 0o700 })
  expect(canReach(undefined, home)).toBe(true)
})

test('the permission that counts is that of the owner, else of the group, else of the others', () => {
  const { uid, gid } = statSync(folder.path)
  const owner = { ...STRANGER, uid }
  const member = { ...STRANGER, gid }
  const reachable = (mode: number) => {
    chmodSync(folder.path, mode)
    return [owner, member, STRANGER].map((account) => canReach(account, folder.path))
  }
  expect(reachable(0o700)).toEqual([true, false, false])
  expect(reachable(0o710)).toEqual([true, true, false])
  expect(reachable(0o701)).toEqual([true, false, true])
  expect(reachable(0o755)).toEqual([true, true, true])
})

test('the folders that are made can be entered whatever the umask is', () => {
  const before = process.umask(0o077)
  makeEnterable(home)
  process.umask(before)
  expect(canReach(STRANGER, home)).toBe(true)
})
