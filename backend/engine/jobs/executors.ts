import { badRequest, PrewarmError } from '../errors.ts'
import type { Executor } from './executor.ts'
import { nearest } from '../nearest.ts'

export type NamedExecutor = {
  name: string
  /** Every spelling under which a cron job may name it. */
  spellings: readonly string[]
  execute: Executor
}

export type Executors = {
  find(functionName: string): NamedExecutor | undefined
  /** Like `find`; an unknown name is a bad request that says what was probably meant. */
  get(functionName: string): NamedExecutor
  names(): readonly string[]
}

/** Each executor answers to its own name and to the camelCase and snake_case spellings of it. */
export function createExecutors(entries: Iterable<readonly [string, Executor]>): Executors {
  const bySpelling = new Map<string, NamedExecutor>()
  const names: string[] = []
  for (const [name, execute] of entries) {
    const executor = { name, spellings: spellingsOf(name), execute }
    for (const spelling of executor.spellings) claim(bySpelling, spelling, executor)
    names.push(name)
  }
  names.sort()
  return {
    find: (functionName) => bySpelling.get(functionName),
    get: (functionName) => bySpelling.get(functionName) ?? refuse(functionName, names),
    names: () => names,
  }
}

function claim(
  bySpelling: Map<string, NamedExecutor>,
  spelling: string,
  executor: NamedExecutor,
): void {
  const other = bySpelling.get(spelling)
  if (other !== undefined) {
    throw new PrewarmError(
      'bad_configuration',
      `The jobs "${other.name}" and "${executor.name}" have the same name; rename one of them.`,
    )
  }
  bySpelling.set(spelling, executor)
}

function spellingsOf(name: string): string[] {
  return [...new Set([name, camelCase(name), snakeCase(name)])]
}

function camelCase(name: string): string {
  return name.replaceAll(/_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function snakeCase(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
}

function refuse(functionName: string, names: readonly string[]): never {
  const meant = nearest(functionName, names.flatMap(spellingsOf))
  const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`
  throw badRequest(
    'function_name',
    `There is no function "${functionName}".${hint} The functions are: ${names.join(', ')}.`,
  )
}
