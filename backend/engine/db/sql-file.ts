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

// Comments and string literals are matched first, so that a mark inside them is left alone.
const TOKENS = /--[^\n]*|\/\*[\s\S]*?\*\/|:'([a-z_]+)'|'(?:[^']|'')*'/g

export function compileSql(source: string): CompiledSql {
  const names: string[] = []
  const text = source.replace(TOKENS, (token, name: string | undefined) => {
    if (name === undefined) return token
    if (!names.includes(name)) names.push(name)
    return `$${names.indexOf(name) + 1}::text`
  })
  return {
    text: text.trimEnd().replace(/;$/, ''),
    names,
    bind: (values) => names.map((name) => valueOf(values, name)),
  }
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
