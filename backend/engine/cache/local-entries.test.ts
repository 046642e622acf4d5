import { beforeEach, describe, expect, test } from 'vitest'
import { testClock } from '../../test/clock.ts'
import { testEntry } from '../../test/entries.ts'
import { createLocalEntries, type Entry, type LocalEntries } from './index.ts'

const NOON = Date.parse('2026-03-10T12:00:00Z')
const TRUST_MS = 250
const { clock, set } = testClock('2026-03-10T12:00:00Z')
const wait = (ms: number): void => set(new Date(clock().getTime() + ms).toISOString())

let local: LocalEntries
beforeEach(() => {
  wait(NOON - clock().getTime())
  local = createLocalEntries({ maxBytes: 1000, trustMs: TRUST_MS, clock })
})

function entry(text = 'text', header: Partial<Entry['header']> = {}): Entry {
  const { header: usual, body } = testEntry({ epochs: ['', '', ''], version: '' }, text)
  const times = { generatedAt: NOON, freshUntil: NOON + 10_000, expiresAt: NOON + 10_000 }
  return { header: { ...usual, ...times, ...header }, body }
}
const confirm = (key: string, one: Entry): void => local.asking(key)(one)
const textAt = (key: string): string | undefined => local.trusted(key)?.body.toString()

describe('a local copy', () => {
  test('is trusted for a moment after the store confirmed it, and then not', () => {
    confirm('a', entry())
    wait(TRUST_MS - 1)
    expect(textAt('a')).toBe('text')
    wait(1)
    expect(textAt('a')).toBeUndefined()
  })

  test('is trusted for another moment when it is confirmed again', () => {
    confirm('a', entry())
    wait(TRUST_MS)
    confirm('a', entry())
    wait(TRUST_MS - 1)
    expect(textAt('a')).toBe('text')
  })

  test.each(['freshUntil', 'expiresAt'])('is not trusted beyond its %s', (end) => {
    confirm('a', entry('text', { [end]: NOON + 100 }))
    wait(99)
    expect(textAt('a')).toBe('text')
    wait(1)
    expect(textAt('a')).toBeUndefined()
  })

  test('is never trusted when trust lasts no time', () => {
    local = createLocalEntries({ maxBytes: 1000, trustMs: 0, clock })
    confirm('a', entry())
    expect(textAt('a')).toBeUndefined()
  })

  test('goes when it is forgotten, alone or with all', () => {
    confirm('a', entry())
    confirm('b', entry())
    local.forget('a')
    expect([textAt('a'), textAt('b')]).toEqual([undefined, 'text'])
    local.forgetAll()
    expect(textAt('b')).toBeUndefined()
  })

  test('makes room for others when there are too many bytes', () => {
    for (const key of ['a', 'b', 'c']) confirm(key, entry('x'.repeat(400)))
    expect([textAt('a'), textAt('c')]).toEqual([undefined, 'x'.repeat(400)])
  })
})

describe('an answer of the store that is late', () => {
  test.each([
    ['one entry was forgotten', () => local.forget('a')],
    ['all were forgotten', () => local.forgetAll()],
  ])('is not trusted when %s since it was asked', (_what, forget) => {
    const take = local.asking('a')
    forget()
    take(entry())
    expect(textAt('a')).toBeUndefined()
  })

  test('does not take the place of a newer one', () => {
    const take = local.asking('a')
    confirm('a', entry('new', { generatedAt: NOON + 1 }))
    take(entry('old'))
    expect(textAt('a')).toBe('new')
  })
})
