import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processStart } from '../engine/servers/index.ts'

const PREFIX = 'prewarm-test-'

/** A new folder that servers of another user can enter. Its name tells which process made it. */
export async function testFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
  await chmod(path, 0o755)
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** The folders of processes that are no more. */
export async function abandonedFolders(): Promise<string[]> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX))
  return names
    .filter((name) => processStart(Number.parseInt(name.slice(PREFIX.length), 10)) === undefined)
    .map((name) => join(tmpdir(), name))
}
