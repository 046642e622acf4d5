/**
 * Runs one computation per key at a time in this process; whoever comes meanwhile gets its result, or its error.
 * With `anew`, a computation that is already under way will not do: it may have begun before what the caller
 * wants to see. The next one is shared by all who wait for it.
 */
export type SingleFlight = <T>(
  key: string,
  compute: () => Promise<T>,
  options?: { anew: boolean },
) => Promise<T>

export function createSingleFlight(): SingleFlight {
  const flights = new Map<string, Promise<unknown>>()

  const start = <T>(key: string, compute: () => Promise<T>): Promise<T> => {
    const flight = compute().finally(() => flights.delete(key))
    flights.set(key, flight)
    return flight
  }

  return async <T>(
    key: string,
    compute: () => Promise<T>,
    { anew } = { anew: false },
  ): Promise<T> => {
    const tooEarly = anew ? flights.get(key) : undefined
    await tooEarly?.catch(() => undefined)
    // One key always stands for one type: only its own callers know which.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return (flights.get(key) as Promise<T> | undefined) ?? start(key, compute)
  }
}
