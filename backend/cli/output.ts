// What commands print. Results go to standard output, everything about the way there to standard error.

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2))
}

export function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_cell, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}

export type Progress = { done: number; total: number; failed?: number }

const BAR_WIDTH = 30
const PLAIN_STEPS = 10

/** A bar that redraws itself on a terminal; elsewhere a line at every tenth of the way. */
export function progressBar(what: string): (progress: Progress) => void {
  return process.stderr.isTTY ? drawn(what) : plain(what)
}

function drawn(what: string): (progress: Progress) => void {
  return ({ done, total, failed = 0 }) => {
    const filled = total === 0 ? BAR_WIDTH : Math.round((BAR_WIDTH * done) / total)
    const bar = '█'.repeat(filled).padEnd(BAR_WIDTH, '░')
    const end = done + failed >= total ? '\n' : ''
    process.stderr.write(
      `\r${what} ${bar} ${done}/${total}${failed > 0 ? `, ${failed} failed` : ''}${end}`,
    )
  }
}

function plain(what: string): (progress: Progress) => void {
  let printed = -1
  return ({ done, total, failed = 0 }) => {
    const step = total === 0 ? PLAIN_STEPS : Math.floor((PLAIN_STEPS * done) / total)
    if (step === printed) return
    printed = step
    tell(`${what} ${done}/${total}${failed > 0 ? `, ${failed} failed` : ''}`)
  }
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}
