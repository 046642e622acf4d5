/** A place where work waits for the test. `arrived` resolves when the first one has come, `open` lets all pass. */
export type Gate = {
  arrived: Promise<void>
  arrivals(): number
  pass(): Promise<void>
  open(): void
}

export function gate(): Gate {
  let come = () => {}
  let open = () => {}
  let arrivals = 0
  const arrived = new Promise<void>((resolve) => (come = resolve))
  const opened = new Promise<void>((resolve) => (open = resolve))
  return {
    arrived,
    arrivals: () => arrivals,
    pass: () => {
      arrivals += 1
      come()
      return opened
    },
    open: () => open(),
  }
}
