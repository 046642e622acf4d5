import { chmodSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testFolder } from '../../test/folder.ts'
import { testLog } from '../../test/log.ts'
import { startLocalServer, type Program } from './local-server.ts'

const STRANGER = { name: 'stranger', uid: 4_000_001, gid: 4_000_001 }

let folder: Awaited<ReturnType<typeof testFolder>>

beforeEach(async () => {
  folder = await testFolder()
})

afterEach(() => folder.remove())

test('a program that is missing is named', async () => {
  const file = join(folder.path, 'missing')
  await expect(startLocalServer(programOf(file))).rejects.toMatchObject({
    code: 'bad_configuration',
    message: `${file}, the program of the test server, cannot be run.`,
  })
  expect(readdirSync(join(folder.path, 'users'))).toEqual([])
})

test('a program that ends at once is reported with its last words', async () => {
  const program = programOf(process.execPath, ['--eval', 'throw new Error("out of luck")'])
  await expect(startLocalServer(program)).rejects.toThrow(
    /Could not start the test server\. It said:\n[^]*out of luck/,
  )
})

test('a folder that the account of the server cannot enter is named before anything starts', async () => {
  const closed = join(folder.path, 'closed')
  mkdirSync(closed)
  chmodSync(closed, 0o700)
  const program = { ...programOf(process.execPath), folder: closed, account: STRANGER }
  await expect(startLocalServer(program)).rejects.toThrow(
    `runs as the user "stranger", who cannot enter ${closed}`,
  )
  expect(readdirSync(closed)).toEqual([])
})

function programOf(file: string, args: string[] = []): Program {
  return {
    title: 'the test server',
    folder: folder.path,
    log: testLog().log,
    account: undefined,
    prepare: async () => undefined,
    command: () => ({ file, args }),
    answers: async () => false,
    stopSignals: ['SIGKILL'],
  }
}
