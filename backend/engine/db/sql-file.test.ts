import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { arrayLiteral, compileSql, replaceName } from './index.ts'
import { statementsIn } from './sql-file.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const run = async (source: string, values: Record<string, string> = {}): Promise<unknown> => {
  const sql = compileSql(source)
  const [row] = await database.db.query(sql.text, sql.bind(values))
  return row
}

describe('a mark', () => {
  test('becomes a parameter, the same one wherever its name stands', async () => {
    const sql = compileSql("select :'b' as b, :'a'::int + 1 as a, :'b' || '!' as c")
    expect(sql.names).toEqual(['b', 'a'])
    expect(sql.bind({ a: '1', b: 'x', unused: '' })).toEqual(['x', '1'])
    expect(
      await run("select :'b' as b, :'a'::int + 1 as a, :'b' || '!' as c", { a: '1', b: 'x' }),
    ).toEqual({ b: 'x', a: 2, c: 'x!' })
  })

  test.each([
    ['a comment', "select 1 as x -- not :'a'\n", 1],
    ['a long comment', "select /* not\n:'a' */ 1 as x", 1],
    ['a string', "select 'it''s not :''a''' as x", "it's not :'a'"],
    ['a string with backslashes', String.raw`select E'it\'s not :\'a\'' as x`, "it's not :'a'"],
    ['a dollar-quoted text', "select $$not :'a'$$ as x", "not :'a'"],
    ['a tagged text', "select $of$not :'a' $$ ;$of$ as x", "not :'a' $$ ;"],
  ])('inside %s is none', async (_where, source, value) => {
    expect(compileSql(source).names).toEqual([])
    expect(await run(source)).toEqual({ x: value })
  })

  test('after an apostrophe in a quoted name or a comment is one', async () => {
    const source = `select :'a' as "it's" -- isn't it\n, :'a2' as b`
    expect(await run(source, { a: '1', a2: '2' })).toEqual({ "it's": '1', b: '2' })
  })

  test('that is given no value is an error which names it', () => {
    expect(() => compileSql("select :'tenant_ids'").bind({})).toThrow(":'tenant_ids'")
  })

  test('whose value is SQL stays a value', async () => {
    const value = "'; drop table tenant; --"
    expect(await run("select :'a' as x", { a: value })).toEqual({ x: value })
  })
})

describe('a file', () => {
  test.each([
    ['select 1', ['select 1']],
    ['select 1;\n', ['select 1']],
    ['-- one\nselect 1; -- and\n/* done; */\n', ['-- one\nselect 1']],
    ["select :'a', ';'; select :'b'", ["select :'a', ';'", "select :'b'"]],
    ["select ';'; select $$;$$", ["select ';'", 'select $$;$$']],
    ['', []],
    ['-- nothing; at all\n', []],
  ])('%j has the statements %j', (source, statements) => {
    expect(statementsIn(source)).toEqual(statements)
  })
})

test.each([[[]], [['a', 'b']], [['with "quotes"', 'back\\slash', 'comma, {brace}', ' ', 'null']]])(
  'PostgreSQL reads the array literal of %j as it was meant',
  async (values) => {
    const [row] = await database.db.query('select $1::text[] as x', [arrayLiteral(values)])
    expect(row).toEqual({ x: values })
  },
)

test('a name is replaced where it is one, and nowhere else', () => {
  const sql = `select a.b, a.b.c, x.a.b, a.bc, "a.b", 'a.b', $$ a.b $$ -- a.b
from A.B /* a.b */`
  expect(replaceName(sql, 'a.b', '"b"'))
    .toBe(`select "b", "b".c, x.a.b, a.bc, "a.b", 'a.b', $$ a.b $$ -- a.b
from "b" /* a.b */`)
})
