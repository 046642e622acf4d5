// Report and demo files mark their parameters as psql does (`:'tenant_ids'`), so that
// `psql -v tenant_ids='{…}' -f FILE` runs the same text that the engine sends with `$1`.
// Every value is text; the file casts it. A value that is not given is the empty text.

export type CompiledSql = {
  text: string
  /** The names behind `$1`, `$2`, … in order. */
  names: readonly string[]
  /** The values in the order of `names`; a name that is missing is an error in the caller. */
  bind(values: Readonly<Record<string, string>>): string[]
}

// What is matched before marks and semicolons, so that those inside are left alone: comments, quoted names, dollar-quoted
// texts, and string literals with and without backslashes.
const QUOTED = [
  String.raw`--[^\n]*`,
  String.raw`/\*[\s\S]*?\*/`,
  '"(?:[^"]|"")*"',
  String.raw`\$(?<tag>(?:[a-z_]\w*)?)\$[\s\S]*?\$\k<tag>\$`,
  String.raw`\be'(?:[^'\\]|''|\\[\s\S])*'`,
  "'(?:[^']|'')*'",
].join('|')
const TOKENS = new RegExp(String.raw`${QUOTED}|:'(?<mark>\w+)'`, 'gi')
const SEMICOLONS = new RegExp(`${QUOTED}|(?<end>;)`, 'gi')
const COMMENTS = /--[^\n]*|\/\*[\s\S]*?\*\//g

/** The statements of a file, without their semicolons. */
export function statementsIn(source: string): string[] {
  const ends = [...source.matchAll(SEMICOLONS)].filter(({ groups }) => groups?.['end'])
  const starts = [0, ...ends.map(({ index }) => index + 1)]
  return starts
    .map((start, i) => source.slice(start, ends[i]?.index))
    .filter((text) => text.replaceAll(COMMENTS, '').trim() !== '')
    .map((text) => text.trim())
}

/** Of a file with one statement. */
export function compileSql(source: string): CompiledSql {
  const names: string[] = []
  const text = statementsIn(source)
    .join(';\n')
    .replace(TOKENS, (...match) => {
      const token: string = match[0]
      const { mark }: { mark?: string } = match.at(-1)
      if (mark === undefined) return token
      if (!names.includes(mark)) names.push(mark)
      return `$${names.indexOf(mark) + 1}::text`
    })
  return { text, names, bind: (values) => names.map((name) => valueOf(values, name)) }
}

/** Replaces a name where it is one: not in comments, quoted names and texts, nor as a part of a longer name. */
export function replaceName(source: string, name: string, replacement: string): string {
  const escaped = name.replaceAll('.', String.raw`\.`)
  const names = new RegExp(String.raw`${QUOTED}|(?<![\w.])(?<name>${escaped})(?!\w)`, 'gi')
  return source.replace(names, (...match) => {
    const { name: found }: { name?: string } = match.at(-1)
    return found === undefined ? match[0] : replacement
  })
}

function valueOf(values: Readonly<Record<string, string>>, name: string): string {
  const value = values[name]
  if (value === undefined)
    throw new Error(`The SQL asks for :'${name}', which the engine does not give.`)
  return value
}

/** A PostgreSQL array literal of uuids or plain words. */
export function arrayLiteral(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`
}
