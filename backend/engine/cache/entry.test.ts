import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeEntry, decodeHeader, encodeEntry, isOutdated, stateOf } from './entry.ts'
import type { EntryHeader } from './entry.ts'

const HEADER: EntryHeader = {
  generatedAt: 1000,
  freshUntil: 2000,
  expiresAt: 3000,
  definition: 'v1',
  etag: 'W/"e"',
  epochs: ['t', 'r', 'a'],
  version: 'v',
}
const PRESENT = { epochs: ['t', 'r', 'a'], version: 'v', definition: 'v1' } as const

describe('an entry', () => {
  test.each([
    [1000, 'fresh'],
    [1999, 'fresh'],
    [2000, 'stale'],
    [2999, 'stale'],
    [3000, 'missing'],
    // A clock that is behind the one that made it does no harm.
    [500, 'fresh'],
  ])('is at %i %s', (now, state) => {
    expect(stateOf(HEADER, { ...PRESENT, now })).toBe(state)
  })

  test.each([
    ['the definition moved', { definition: 'v2' }],
    ['the tenant was busted', { epochs: ['T', 'r', 'a'] }],
    ['the report was busted', { epochs: ['t', 'R', 'a'] }],
    ['everything was busted', { epochs: ['t', 'r', 'A'] }],
    ['an epoch was evicted', { epochs: ['t', 'r', null] }],
    ['all epochs were lost', { epochs: [null, null, null] }],
  ] as const)('is missing when %s, though it is fresh', (_what, moved) => {
    expect(stateOf(HEADER, { ...PRESENT, ...moved, now: 1000 })).toBe('missing')
  })

  test.each([
    ['moved', 'w'],
    ['was evicted', null],
  ])('is stale when its version %s, and not when it is over or busted', (_what, version) => {
    const present = { ...PRESENT, version }
    expect(stateOf(HEADER, { ...present, now: 1000 })).toBe('stale')
    expect(stateOf(HEADER, { ...present, now: 3000 })).toBe('missing')
    expect(stateOf(HEADER, { ...present, epochs: ['t', 'R', 'a'], now: 1000 })).toBe('missing')
  })

  test('that shows a view which was behind is stale from birth, though no other can be had', () => {
    const header = { ...HEADER, waitsForView: true } as const
    expect(stateOf(header, { ...PRESENT, now: 1000 })).toBe('stale')
    expect(isOutdated(header, { version: 'v', now: 1000 })).toBe(false)
    expect(isOutdated(header, { version: 'w', now: 1000 })).toBe(true)
    expect(isOutdated(header, { version: 'v', now: 2000 })).toBe(true)
  })

  test('whose horizon lies beyond its end is missing at its end', () => {
    expect(stateOf({ ...HEADER, freshUntil: 9000 }, { ...PRESENT, now: 3000 })).toBe('missing')
  })
})

describe('the bytes of an entry', () => {
  test('give back the header and the body, whatever the body is', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), (bytes, etag) => {
        const entry = { header: { ...HEADER, etag }, body: Buffer.from(bytes) }
        const encoded = encodeEntry(entry)
        expect(decodeEntry(encoded)).toEqual(entry)
        expect(decodeHeader(encoded)).toEqual(entry.header)
      }),
    )
  })

  test('begin with a header that is whole in what is peeked at', () => {
    const uuid = 'x'.repeat(36)
    const times = { generatedAt: 1e15, freshUntil: 1e15, expiresAt: 1e15 }
    const header = {
      ...HEADER,
      ...times,
      definition: 'x'.repeat(16),
      epochs: [uuid, uuid, uuid],
      version: uuid,
      waitsForView: true,
    } as const
    const bytes = encodeEntry({
      header: { ...header, etag: 'x'.repeat(40) },
      body: Buffer.alloc(0),
    })
    expect(bytes.length).toBeLessThan(1024)
  })

  test.each([
    ['nothing', ''],
    ['no line', '{"a":1}'],
    ['no JSON', 'junk\n{}'],
    ['no object', 'null\n{}'],
    ['another object', '{"data":{},"cachedAt":1}\n{}'],
    ['a header that lacks a time', JSON.stringify({ ...HEADER, expiresAt: undefined }) + '\n{}'],
    ['a header without a version', JSON.stringify({ ...HEADER, version: undefined }) + '\n{}'],
    ['a header without epochs', JSON.stringify({ ...HEADER, epochs: 'a' }) + '\n{}'],
  ])('that are %s are no entry', (_what, text) => {
    expect(decodeEntry(Buffer.from(text))).toBeUndefined()
  })
})
