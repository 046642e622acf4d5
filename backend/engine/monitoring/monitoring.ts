// Watches views and jobs by what the tables say of them, and tells when something is wrong.
import { type Clock, SECOND } from '../clock.ts'
import type { Db } from '../db/index.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import type { ChangeParts } from './change-incidents.ts'
import { deliver } from './deliver.ts'
import { evaluate, type Evaluated } from './evaluate.ts'
import { createIncidents, type Incidents } from './incidents.ts'
import { writeRequests, type LoggedRequest } from './requests.ts'
import type { Webhook } from './send.ts'
import { createTicker } from '../ticker.ts'

export type MonitoringSettings = {
  /** How much older than its target lag a view may be. */
  viewLateMarginMs: number
  /** Who is notified. */
  webhook: Webhook | undefined
  /** Whether `api_logs` is written. */
  logsRequests: boolean
}

export type MonitoringOptions = {
  db: Db
  /** The names of those whose views are watched. */
  domains: readonly string[]
  settings: MonitoringSettings
  clock: Clock
  log: Log
}

export type Monitoring = Service & {
  settings: MonitoringSettings
  incidents: Incidents
  /** Writes to `api_logs`. */
  writeRequests(requests: readonly LoggedRequest[]): Promise<void>
  start(): void
  /** What every instance does every five seconds, by hand. */
  evaluate(): Promise<Evaluated>
  /** Sends what is due to be sent, and resolves with the number of notifications that were tried. */
  deliver(): Promise<number>
}

const EVALUATE_EVERY_MS = 5 * SECOND
const DELIVER_EVERY_MS = SECOND
const LOOKING = {
  failed: 'Looking for incidents failed; it is tried again.',
  works: 'Looking for incidents works again.',
}
const SENDING = {
  failed: 'Sending notifications failed; it is tried again.',
  works: 'Sending notifications works again.',
}

export function createMonitoring({
  db,
  domains,
  settings,
  clock,
  log,
}: MonitoringOptions): Monitoring {
  const { viewLateMarginMs: marginMs, webhook } = settings
  const stopping = new AbortController()
  const parts = (): ChangeParts => ({ db, now: clock(), notifies: webhook !== undefined })
  const evaluateNow = async (): Promise<Evaluated> => {
    const evaluated = await evaluate({ ...parts(), marginMs, domains })
    for (const { message } of evaluated.opened) log.error(`Incident: ${message}`)
    for (const { message } of evaluated.resolved) log.info(`Resolved: ${message}`)
    return evaluated
  }
  const deliverNow = async (): Promise<number> =>
    webhook ? deliver({ db, now: clock(), webhook, log, signal: stopping.signal }) : 0
  const tickers = [
    createTicker(evaluateNow, { everyMs: EVALUATE_EVERY_MS, log, lines: LOOKING }),
    createTicker(deliverNow, { everyMs: DELIVER_EVERY_MS, log, lines: SENDING }),
  ]
  return {
    settings,
    incidents: createIncidents(parts),
    writeRequests: (requests) => writeRequests(db, requests),
    evaluate: evaluateNow,
    deliver: deliverNow,
    start: () => tickers.forEach((ticker) => ticker.start()),
    stop: async () => {
      stopping.abort()
      await Promise.all(tickers.map((ticker) => ticker.stop()))
    },
  }
}
