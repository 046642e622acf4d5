// The dashboard worked out plainly from the rows, one number after the other: what the SQL is compared with.
import type { Aggregate, Question } from './aggregates.ts'
import { daysIn, daysOf, isWithin, periodBefore, type Range } from './days.ts'
import type { MailEvent, Usage, Workspace } from './test-rows.ts'

const MICRO = 1_000_000

/** What the answer is made from. */
type Chosen = {
  current: MailEvent[]
  previous: MailEvent[]
  usages: Usage[]
  days: string[]
  dayOf: (time: string) => string
}

/** `start` and `end` must be given. */
export function naiveAggregate(workspace: Workspace, question: Required<Question>): Aggregate {
  const { start, end, campaign } = question
  const chosen = choose(workspace, question)
  const { current, previous, usages } = chosen
  const leads = workspace.rows.leads.filter((lead) => lead.is_test !== true)
  return {
    summary: {
      ...summaryOf(current),
      cost_usd: costOf(usages),
      ...changesBetween(current, previous),
    },
    timeseries: timeseriesOf(chosen),
    costBreakdown: costsOf(chosen),
    stepBreakdown: {
      steps: stepsOf(current),
      dailySends: chosen.days.map((date) => ({ date, count: count(on(chosen, date), 'sent') })),
      totalSends: count(current, 'sent'),
      uniqueContacts: new Set(current.map((event) => event.contact_email.toLowerCase())).size,
      totalLeads: leads.filter((lead) => isOf(campaign, lead.campaign_name)).length,
    },
    campaigns: { list: listOf(workspace, question), stats: statsOf(current, usages) },
    dateRange: { start, end },
    source: 'postgresql',
  }
}

function choose(
  { rows, timezone }: Workspace,
  { start, end, campaign, provider }: Required<Question>,
): Chosen {
  const dayOf = daysIn(timezone)
  const eventsIn = (range: Range): MailEvent[] =>
    rows.email_events.filter(
      (event) =>
        event.is_test !== true &&
        isOf(campaign, event.campaign_name) &&
        isWithin(dayOf(event.event_ts), range),
    )
  const usages = rows.llm_usage.filter(
    (usage) =>
      isOf(campaign, usage.campaign_name) &&
      (provider === '' || providerOf(usage) === provider) &&
      isWithin(dayOf(usage.created_at), { start, end }),
  )
  return {
    current: eventsIn({ start, end }),
    previous: eventsIn(periodBefore(start, end)),
    usages,
    days: daysOf(start, end),
    dayOf,
  }
}

function on({ current, dayOf }: Chosen, day: string): MailEvent[] {
  return current.filter((event) => dayOf(event.event_ts) === day)
}

function timeseriesOf(chosen: Chosen): Aggregate['timeseries'] {
  const series = (value: (events: MailEvent[]) => number): { day: string; value: number }[] =>
    chosen.days.map((day) => ({ day, value: value(on(chosen, day)) }))
  return {
    sends: series((events) => count(events, 'sent')),
    replies: series((events) => count(events, 'replied')),
    reply_rate: series((events) => rate(events, 'replied')),
    click_rate: series((events) => rate(events, 'clicked')),
    opt_out_rate: series((events) => rate(events, 'opt_out')),
  }
}

function costsOf({ usages, days, dayOf }: Chosen): Aggregate['costBreakdown'] {
  const kindOf = (usage: Usage): string => JSON.stringify([providerOf(usage), modelOf(usage)])
  const usedOn = (day: string): Usage[] => usages.filter((usage) => dayOf(usage.created_at) === day)
  return {
    total: spent(usages),
    by_provider: dearest(usages, providerOf).map((some) => ({
      provider: some[0]?.provider || 'unknown',
      ...spent(some),
    })),
    by_model: dearest(usages, kindOf).map((some) => ({
      model: some[0]?.model || 'unknown',
      provider: some[0]?.provider || 'unknown',
      ...spent(some),
    })),
    daily: days.map((day) => ({ day, value: costOf(usedOn(day)) })),
  }
}

// All that there are to choose from, whichever of them is chosen.
function listOf(
  workspace: Workspace,
  question: Required<Question>,
): Aggregate['campaigns']['list'] {
  const { current, usages } = choose(workspace, { ...question, campaign: '' })
  const names = [
    ...workspace.rows.campaigns.map(({ name }) => name),
    ...[...current, ...usages].map((row) => called(row.campaign_name)),
  ]
  return [...new Set(names)].toSorted(byText).map((name) => ({ name }))
}

function isOf(campaign: string, name: string | null): boolean {
  return campaign === '' || called(name) === campaign
}

function providerOf({ provider }: Usage): string {
  return provider || 'unknown'
}

function modelOf({ model }: Usage): string {
  return model || 'unknown'
}

function called(name: string | null): string {
  return name || 'Unknown'
}

type Kind = MailEvent['event_type']

function count(events: readonly MailEvent[], kind: Kind): number {
  return events.filter((event) => event.event_type === kind).length
}

function rate(events: readonly MailEvent[], kind: Kind): number {
  return percentage(count(events, kind), count(events, 'sent'))
}

// In whole numbers, so that halves are rounded as they are written.
function percentage(part: number, whole: number): number {
  return whole > 0 ? Math.floor((20_000 * part + whole) / (2 * whole)) / 100 : 0
}

function summaryOf(events: readonly MailEvent[]) {
  return {
    sends: count(events, 'sent'),
    replies: count(events, 'replied'),
    opt_outs: count(events, 'opt_out'),
    bounces: count(events, 'bounced'),
    opens: count(events, 'opened'),
    clicks: count(events, 'clicked'),
    reply_rate_pct: rate(events, 'replied'),
    opt_out_rate_pct: rate(events, 'opt_out'),
    bounce_rate_pct: rate(events, 'bounced'),
    open_rate_pct: rate(events, 'opened'),
    click_rate_pct: rate(events, 'clicked'),
  }
}

function changesBetween(current: readonly MailEvent[], previous: readonly MailEvent[]) {
  const [now, then] = [count(current, 'sent'), count(previous, 'sent')]
  const tenths = then > 0 ? Math.floor((2000 * Math.abs(now - then) + then) / (2 * then)) : 0
  return {
    sends_change_pct: (Math.sign(now - then) * tenths) / 10 || 0,
    reply_rate_change_pp: cents(rate(current, 'replied') - rate(previous, 'replied')),
    opt_out_rate_change_pp: cents(rate(current, 'opt_out') - rate(previous, 'opt_out')),
    prev_sends: then,
    prev_reply_rate_pct: rate(previous, 'replied'),
  }
}

function cents(number: number): number {
  return Math.round(number * 100) / 100 || 0
}

function micros(usages: readonly Usage[]): number {
  return usages.reduce((sum, usage) => sum + Math.round(Number(usage.cost_usd) * MICRO), 0)
}

function costOf(usages: readonly Usage[]): number {
  return micros(usages) / MICRO
}

function spent(usages: readonly Usage[]) {
  return {
    cost_usd: costOf(usages),
    tokens_in: usages.reduce((sum, usage) => sum + (usage.tokens_in ?? 0), 0),
    tokens_out: usages.reduce((sum, usage) => sum + (usage.tokens_out ?? 0), 0),
    calls: usages.length,
  }
}

/** Groups, the dearest first. */
function dearest(usages: readonly Usage[], keyOf: (usage: Usage) => string): Usage[][] {
  const groups = [...groupsOf(usages, keyOf)].toSorted(
    ([name, some], [other, others]) => micros(others) - micros(some) || byText(name, other),
  )
  return groups.map(([, some]) => some)
}

function groupsOf<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row])
  return groups
}

function stepOf({ step, email_number }: MailEvent): number {
  return step ?? email_number ?? 1
}

function stepsOf(events: readonly MailEvent[]): Aggregate['stepBreakdown']['steps'] {
  const sent = events.filter((event) => event.event_type === 'sent')
  const steps = [...new Set([1, 2, 3, ...sent.map(stepOf)])].toSorted((a, b) => a - b)
  return steps.map((step) => {
    const mails = sent.filter((event) => stepOf(event) === step)
    const times = mails.map((event) => event.event_ts).toSorted()
    return { step, name: `Email ${step}`, sends: mails.length, lastSentAt: times.at(-1) ?? null }
  })
}

function statsOf(
  events: readonly MailEvent[],
  usages: readonly Usage[],
): Aggregate['campaigns']['stats'] {
  const mails = groupsOf(events, (event) => called(event.campaign_name))
  const costs = groupsOf(usages, (usage) => called(usage.campaign_name))
  const names = [...new Set([...mails.keys(), ...costs.keys()])]
  const stats = names.map((campaign) => statOf(campaign, mails.get(campaign), costs.get(campaign)))
  return stats.toSorted((a, b) => b.sends - a.sends || byText(a.campaign, b.campaign))
}

function statOf(campaign: string, events: MailEvent[] = [], usages: Usage[] = []) {
  const { sends, replies, opt_outs, bounces, ...rates } = summaryOf(events)
  const { reply_rate_pct, opt_out_rate_pct, bounce_rate_pct } = rates
  const perReply = replies > 0 ? Math.floor((2 * micros(usages) + replies) / (2 * replies)) : 0
  const costs = { cost_usd: costOf(usages), cost_per_reply: perReply / MICRO }
  const counts = { campaign, sends, replies, opt_outs, bounces }
  return { ...counts, reply_rate_pct, opt_out_rate_pct, bounce_rate_pct, ...costs }
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
