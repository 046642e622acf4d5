// Public data sets that are not part of the product, and may be absent.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const FOLDER =
  // oxlint-disable-next-line node/no-process-env -- It says where the tests find their data; the product has no such setting.
  process.env['PREWARM_TEST_DATA'] ?? join(import.meta.dirname, '../../../shared/data')

export function hasRealData(domain: string): boolean {
  return existsSync(join(FOLDER, domain))
}

/** The lines of a CSV file under the names in its first line; what is empty is the empty text. */
export async function readCsv<Column extends string>(
  path: string,
  columns: readonly Column[],
): Promise<Record<Column, string>[]> {
  const text = await readFile(join(FOLDER, path), 'utf8')
  const [header = [], ...lines] = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map(fieldsOf)
  const places = columns.map((column) => header.indexOf(column))
  if (places.includes(-1)) throw new Error(`${path} has ${header.join()}, not ${columns.join()}.`)
  return lines.map(
    (fields) =>
      Object.fromEntries(
        columns.map((column, i) => [column, fields[places[i] ?? -1] ?? '']),
      ) as Record<Column, string>,
  )
}

function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain,
  )
}
