import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { testFolder } from '../../test/folder.ts'
import { migrate, pendingMigrations, type MigrationFolder } from './index.ts'

let database: TestDatabase
let folder: { path: string; remove: () => Promise<void> }
beforeEach(async () => {
  ;[database, folder] = await Promise.all([testDatabase({ empty: true }), testFolder()])
})
afterEach(async () => {
  await Promise.all([database.drop(), folder.remove()])
})

const write = async (path: string, sql: string): Promise<void> => {
  await mkdir(join(folder.path, path, '..'), { recursive: true })
  await writeFile(join(folder.path, path), sql)
}
const folders = (...scopes: string[]): MigrationFolder[] =>
  scopes.map((scope) => ({ scope, folder: join(folder.path, scope) }))
const apply = (): Promise<string[]> => migrate(database.db, folders('engine'))
const exists = async (table: string): Promise<boolean> => {
  const [row] = await database.db.query('select to_regclass($1) is not null as exists', [table])
  return row?.['exists'] === true
}

describe('migrations', () => {
  test('are applied once each, in the order of their names', async () => {
    await write('engine/002_b.sql', 'alter table a add column b int')
    await write('engine/001_a.sql', 'create table a (a int); insert into a values (1);')
    await write('engine/notes.txt', 'not SQL')
    expect(await pendingMigrations(database.db, folders('engine'))).toEqual([
      'engine/001_a.sql',
      'engine/002_b.sql',
    ])
    expect(await apply()).toEqual(['engine/001_a.sql', 'engine/002_b.sql'])
    expect(await apply()).toEqual([])
    expect(await pendingMigrations(database.db, folders('engine'))).toEqual([])
    expect(await database.db.query('select a, b from a')).toEqual([{ a: 1, b: null }])
  })

  test('of a domain run in the schema of its name, and see public', async () => {
    await write('engine/001_a.sql', 'create table a (a int primary key)')
    await write('Sales 2/001_b.sql', 'create table b (a int references a)')
    expect(await migrate(database.db, folders('engine', 'Sales 2'))).toHaveLength(2)
    expect(await exists('public.a')).toBe(true)
    expect(await exists('"Sales 2".b')).toBe(true)
  })

  test('that come later are applied on top', async () => {
    await write('engine/001_a.sql', 'create table a (a int)')
    await apply()
    await write('engine/002_b.sql', 'create table b (b int)')
    expect(await apply()).toEqual(['engine/002_b.sql'])
  })

  test('that are started twice at once are applied once', async () => {
    await write('engine/001_a.sql', 'create table a (a int); select pg_sleep(0.2)')
    await write('engine/002_b.sql', 'create table b (b int)')
    const applied = await Promise.all([apply(), apply(), apply()])
    expect(applied.flat().toSorted()).toEqual(['engine/001_a.sql', 'engine/002_b.sql'])
  })
})

describe('a migration', () => {
  test('that fails is undone wholly, and tried again when it was mended', async () => {
    await write('engine/001_a.sql', 'create table a (a int)')
    await write('engine/002_b.sql', 'create table b (b int); select 1/0')
    await write('engine/003_c.sql', 'create table c (c int)')
    await expect(apply()).rejects.toThrow('division by zero')
    expect([await exists('a'), await exists('b'), await exists('c')]).toEqual([true, false, false])
    await write('engine/002_b.sql', 'create table b (b int)')
    expect(await apply()).toEqual(['engine/002_b.sql', 'engine/003_c.sql'])
  })

  test('that was edited after it was applied stops the start, and says what to do', async () => {
    await write('engine/001_a.sql', 'create table a (a int)')
    await apply()
    await write('engine/001_a.sql', 'create table a (a bigint)')
    await write('engine/002_b.sql', 'create table b (b int)')
    const refusal = {
      code: 'bad_configuration',
      message:
        'The migration engine/001_a.sql was edited after it was applied. Restore the file and add a new one.',
    }
    await expect(apply()).rejects.toMatchObject(refusal)
    await expect(pendingMigrations(database.db, folders('engine'))).rejects.toMatchObject(refusal)
    expect(await exists('b')).toBe(false)
  })

  test('that was applied and whose file is gone hinders nobody', async () => {
    await write('engine/001_a.sql', 'create table a (a int)')
    await apply()
    await rm(join(folder.path, 'engine/001_a.sql'))
    expect(await apply()).toEqual([])
  })

  test('outside a transaction may build an index while others write, and begin again', async () => {
    await write('engine/001_a.sql', 'create table a (a int); insert into a values (1), (1)')
    await write(
      'engine/002_index.sql',
      `-- outside a transaction
       drop index if exists a_a;
       create unique index concurrently a_a on a (a);`,
    )
    await expect(apply()).rejects.toThrow('could not create unique index')
    await database.db.query('delete from a where ctid = (select min(ctid) from a)')
    expect(await apply()).toEqual(['engine/002_index.sql'])
    const [index] = await database.db.query(
      "select indisvalid as valid from pg_index where indexrelid = 'a_a'::regclass",
    )
    expect(index).toEqual({ valid: true })
  })

  test('outside a transaction of a domain runs in its schema, too', async () => {
    await write('sales/001_a.sql', 'create table a (a int)')
    const index = '-- outside a transaction\ncreate index concurrently a_a on a (a)'
    await write('sales/002_index.sql', index)
    await migrate(database.db, folders('sales'))
    expect(await exists('sales.a_a')).toBe(true)
  })
})

test('a folder that is not there is an error which names it', async () => {
  await expect(apply()).rejects.toThrow(/ENOENT.*engine/)
})
