/** A row of `dirty_entry`. `change` tells whether it changed again since it was read. */
export type DirtyEntry = { report: string; tenant: string; change: string }

/** For `unnest`. */
export function columnsOf(rows: readonly DirtyEntry[]): [string[], string[], string[]] {
  return [
    rows.map(({ report }) => report),
    rows.map(({ tenant }) => tenant),
    rows.map(({ change }) => change),
  ]
}
