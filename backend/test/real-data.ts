// Public data sets that are not part of the product, and may be absent.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type * as z from 'zod'

const FOLDER =
  // oxlint-disable-next-line node/no-process-env -- It says where the tests find their data; the product has no such setting.
  process.env['PREWARM_TEST_DATA'] ?? join(import.meta.dirname, '../../../shared/data')

export function hasRealData(domain: string): boolean {
  return existsSync(join(FOLDER, domain))
}

/** The lines of a CSV file as objects, named by its first line; what is empty is the empty text. */
export async function readCsv<Row extends z.ZodType>(
  path: string,
  row: Row,
): Promise<z.infer<Row>[]> {
  const text = await readFile(join(FOLDER, path), 'utf8')
  const [header = [], ...lines] = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map(fieldsOf)
  return lines.map((fields) =>
    row.parse(Object.fromEntries(header.map((name, i) => [name, fields[i] ?? '']))),
  )
}

function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain,
  )
}
