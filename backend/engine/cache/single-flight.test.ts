import { describe, expect, test } from 'vitest'
import { gate } from '../../test/gate.ts'
import { createSingleFlight } from './index.ts'

/** A computation that counts how often it was begun, and waits at a gate. */
function counted() {
  const door = gate()
  return {
    door,
    compute: async (): Promise<number> => {
      const number = door.arrivals() + 1
      await door.pass()
      return number
    },
  }
}

describe('a single flight', () => {
  test('computes once for all who come meanwhile', async () => {
    const flight = createSingleFlight()
    const { door, compute } = counted()
    const results = Array.from({ length: 10 }, () => flight('key', compute))
    door.open()
    expect(await Promise.all(results)).toEqual(Array(10).fill(1))
    expect(door.arrivals()).toBe(1)
  })

  test('computes again for those who come after it', async () => {
    const flight = createSingleFlight()
    let count = 0
    const compute = async (): Promise<number> => (count += 1)
    expect(await flight('key', compute)).toBe(1)
    expect(await flight('key', compute)).toBe(2)
  })

  test('computes different keys beside one another', async () => {
    const flight = createSingleFlight()
    const { door, compute } = counted()
    const slow = flight('slow', compute)
    expect(await flight('quick', async () => 'done')).toBe('done')
    door.open()
    await slow
  })

  test('fails for all who wait for it, and starts anew for the next', async () => {
    const flight = createSingleFlight()
    const door = gate()
    const failing = async (): Promise<never> => {
      await door.pass()
      throw new Error('no')
    }
    const results = Promise.allSettled([flight('key', failing), flight('key', failing)])
    door.open()
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(door.arrivals()).toBe(1)
    expect(await flight('key', async () => 'yes')).toBe('yes')
  })
})

describe('a flight anew', () => {
  test('waits for the one under way and then computes, once for all who wait', async () => {
    const flight = createSingleFlight()
    const first = counted()
    const second = counted()
    const early = flight('key', first.compute)
    await first.door.arrived
    const late = Array.from({ length: 5 }, () => flight('key', second.compute, { anew: true }))
    expect(second.door.arrivals()).toBe(0)
    first.door.open()
    await early
    await second.door.arrived
    second.door.open()
    expect(await Promise.all(late)).toEqual([1, 1, 1, 1, 1])
    expect([first.door.arrivals(), second.door.arrivals()]).toEqual([1, 1])
  })

  test('does not care how the one under way ends', async () => {
    const flight = createSingleFlight()
    const door = gate()
    const failing = flight('key', async () => {
      await door.pass()
      throw new Error('no')
    })
    await door.arrived
    const results = Promise.allSettled([failing, flight('key', async () => 'yes', { anew: true })])
    door.open()
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  })

  test('starts at once when none is under way', async () => {
    expect(await createSingleFlight()('key', async () => 'yes', { anew: true })).toBe('yes')
  })
})
