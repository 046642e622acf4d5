import { EventEmitter, once } from 'node:events'

/** A place where work waits for the test. `arrived` resolves when the first has come; `open` lets all pass. */
export type Gate = {
  arrived: Promise<unknown>
  arrivals(): number
  pass(): Promise<unknown>
  open(): void
}

export function gate(): Gate {
  const events = new EventEmitter()
  const arrived = once(events, 'arrived')
  const opened = once(events, 'open')
  let arrivals = 0
  return {
    arrived,
    arrivals: () => arrivals,
    pass: () => {
      arrivals += 1
      events.emit('arrived')
      return opened
    },
    open: () => {
      events.emit('open')
    },
  }
}
