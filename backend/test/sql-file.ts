import { readFile } from 'node:fs/promises'
import { compileSql, type CompiledSql } from '../engine/db/index.ts'

/** A file of a domain, ready to be sent with the values of its marks. */
export async function sqlFile(path: string): Promise<CompiledSql> {
  return compileSql(await readFile(path, 'utf8'))
}
