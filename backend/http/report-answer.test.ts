import { expect, test } from 'vitest'
import type { Entry } from '../engine/cache/index.ts'
import { loadCatalog } from '../engine/reports/index.ts'
import { domains } from '../domains/index.ts'
import { createPayloads, hitPayload, isKnown, type Look } from './report-answer.ts'

const KIBIBYTE = 1024

async function bundle(): Promise<Look> {
  const [report] = (await loadCatalog(domains)).all
  if (!report) throw new Error('There is no report.')
  return { report, widgets: null, isBare: false }
}

function entryOf(bytes: number): Entry {
  const header = {
    generatedAt: 0,
    freshUntil: 0,
    expiresAt: 0,
    definition: '',
    etag: 'W/"x"',
    epochs: ['', '', ''],
    version: '',
  } as const
  return { header, body: Buffer.from(JSON.stringify({ stats: 'x'.repeat(bytes) })) }
}

test('the bytes of a hit are put together once', async () => {
  const [whole, payloads, entry] = [await bundle(), createPayloads(1024 * KIBIBYTE), entryOf(10)]
  const first = hitPayload(payloads, entry, whole)
  expect(hitPayload(payloads, entry, whole)).toBe(first)
  expect(hitPayload(payloads, entry, { ...whole, widgets: ['topAccounts'] })).not.toBe(first)
  expect(hitPayload(payloads, entryOf(10), whole)).not.toBe(first)
})

test('however many entries and widgets are asked for, the bytes that are kept stay within bounds', async () => {
  const [whole, maxBytes] = [await bundle(), 50 * KIBIBYTE]
  const payloads = createPayloads(maxBytes)
  const widgets = Object.keys(whole.report.widgets ?? {})
  for (let i = 0; i < 20; i += 1) {
    const entry = entryOf(KIBIBYTE)
    for (const widget of widgets) hitPayload(payloads, entry, { ...whole, widgets: [widget] })
  }
  const kept = [...payloads.values()].flatMap((ofEntry) => [...ofEntry.values()])
  const bytes = kept.reduce((sum, payload) => sum + payload.length, 0)
  expect(kept.length).toBeGreaterThan(widgets.length)
  expect(bytes).toBeLessThanOrEqual(maxBytes)
})

test('an entry that is larger than the bounds is answered all the same', async () => {
  const [whole, payloads, entry] = [await bundle(), createPayloads(KIBIBYTE), entryOf(KIBIBYTE)]
  expect(hitPayload(payloads, entry, whole).length).toBeGreaterThan(KIBIBYTE)
  expect(payloads.size).toBe(0)
})

test.each([
  [undefined, false],
  ['', false],
  ['*', true],
  [' * ', true],
  ['W/"a"', true],
  ['"a"', true],
  ['"b", W/"a"', true],
  ['"b"', false],
  ['a', false],
  ['"aa"', false],
])('whether If-None-Match: %s names W/"a" is %s', (header, isNamed) => {
  expect(isKnown(header, 'W/"a"')).toBe(isNamed)
})
