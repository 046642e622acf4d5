// The KPIs as a person would count them, from rows that are at hand.
import { dayIn, daysAfter, lengthOf, monthStart } from './days.ts'
import type { Kpis, Period } from './kpis.ts'
import type { Customer, Tables, Tenant } from './test-rows.ts'

type Between = { from: string; to: string }

const [EVER, ALWAYS] = ['0000-00-00', '9999-99-99']

export function naiveKpis({ timezone, rows }: Tenant, now: string, period: Period = {}): Kpis {
  const when = framesOf(dayIn(timezone, now), period)
  const customers = rows.customers.filter(
    (customer) => customer.is_active && customer.customer_create_date <= when.active.to,
  )
  const count = (is: (customer: Customer) => boolean): number => customers.filter(is).length
  const newIn = (frame: Between): number =>
    count((customer) => isIn(frame, customer.customer_create_date))
  const [recent, before] = [newIn(when.new), newIn(when.before)]
  const cents = customers.reduce((sum, row) => sum + BigInt(centsOf(row.total_lifetime_value)), 0n)
  return {
    totalCustomers: customers.length,
    activeCustomers: count((customer) => isIn(when.active, customer.last_visit_date)),
    newCustomersThisMonth: recent,
    newCustomersPreviousMonth: before,
    growthRate: before === 0 ? 0 : hundredths(((recent - before) / before) * 10_000),
    totalLifetimeValue: Number(cents) / 100,
    averageLifetimeValue: customers.length === 0 ? 0 : hundredths(Number(cents) / customers.length),
    customersWithPackages: count(({ id }) => hasPackage(rows, id, when.usable)),
    customersWithRecentActivity: count(
      ({ id, last_visit_date }) =>
        isIn(when.recent, last_visit_date) || hasSale(rows, id, when.recent),
    ),
  }
}

function framesOf(today: string, { dateFrom, dateTo }: Period) {
  if (dateFrom === undefined && dateTo === undefined) {
    const [month, before] = [monthStart(today), monthStart(today, 1)]
    return {
      active: { from: daysAfter(today, -90), to: ALWAYS },
      recent: { from: daysAfter(today, -30), to: ALWAYS },
      new: { from: month, to: ALWAYS },
      before: { from: before, to: daysAfter(month, -1) },
      usable: { from: today, to: ALWAYS },
    }
  }
  const all = { from: dateFrom ?? EVER, to: dateTo ?? today }
  const before =
    dateFrom === undefined
      ? { from: ALWAYS, to: EVER }
      : { from: daysAfter(all.from, -lengthOf(all.from, all.to)), to: daysAfter(all.from, -1) }
  return { active: all, recent: all, new: all, before, usable: all }
}

function isIn({ from, to }: Between, day: string | null): boolean {
  return day !== null && day >= from && day <= to
}

function hasPackage({ packages }: Tables, id: string, { from, to }: Between): boolean {
  return packages.some(
    (one) =>
      one.customer_id === id && one.purchase_date <= to && (one.expiration_date ?? ALWAYS) >= from,
  )
}

function hasSale({ sales }: Tables, id: string, frame: Between): boolean {
  return sales.some((sale) => sale.customer_id === id && !sale.is_voided && isIn(frame, sale.date))
}

function centsOf(amount: string): number {
  return Math.round(Number(amount) * 100)
}

/** Away from zero where it is exactly in the middle, as PostgreSQL rounds. */
function hundredths(number: number): number {
  return (Math.sign(number) * Math.round(Math.abs(number))) / 100
}
