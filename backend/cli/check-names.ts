// The names that tie a domain from outside of this tree together; for those inside, the compiler checks them.
import { longestGap } from '../engine/cron/index.ts'
import type { Domain, Job, Report, View } from '../engine/domain.ts'
import { messageOf } from '../engine/errors.ts'

/** The first thing that names something that is not there, as a sentence without its dot; undefined when all is well. */
export function wrongName(domain: Domain): string | undefined {
  return [...problems(domain)][0]
}

function* problems(domain: Domain): Generator<string> {
  yield* problemsOfViews(domain)
  yield* problemsOfReports(domain)
  yield* problemsOfJobs(domain)
  yield* problemsOfSchedules(domain)
  for (const { path, views } of domain.refreshEndpoints ?? []) {
    const unknown = views.find((view) => !isView(domain, view))
    if (unknown) yield `the refresh endpoint ${path} refreshes "${unknown}", which is not a view`
  }
}

function* problemsOfViews({ sources, views = {} }: Domain): Generator<string> {
  const tenantColumns = new Set(Object.values(sources).map(({ tenantColumn }) => tenantColumn))
  for (const [name, { reads, uniqueBy }] of Object.entries<View>(views)) {
    const unknown = reads.find((read) => !isIn(sources, read) && !isIn(views, read))
    if (unknown) yield `the view ${name} reads "${unknown}", which is neither a source nor a view`
    if (isIn(sources, name)) yield `"${name}" is a source and a view`
    if (!tenantColumns.has(uniqueBy[0]))
      yield `the key of the view ${name} begins with "${uniqueBy[0]}", which is not the tenant column of a source`
  }
}

function* problemsOfReports(domain: Domain): Generator<string> {
  for (const [name, { reads, isBare, path }] of Object.entries<Report>(domain.reports)) {
    const unknown = reads.find((read) => !isIn(domain.sources, read) && !isView(domain, read))
    if (unknown) yield `the report ${name} reads "${unknown}", which is neither a source nor a view`
    if (isBare && path === undefined) yield `the report ${name} has isBare, which needs a path`
  }
}

function* problemsOfJobs(domain: Domain): Generator<string> {
  for (const [name, job] of Object.entries<Job>(domain.jobs)) {
    if ('warm' in job) {
      if (!isIn(domain.reports, job.warm))
        yield `the job ${name} warms "${job.warm}", which is not a report`
    } else {
      const unknown = job.refresh.find((view) => !isView(domain, view))
      if (unknown) yield `the job ${name} refreshes "${unknown}", which is not a view`
    }
  }
}

function* problemsOfSchedules({ jobs, schedules }: Domain): Generator<string> {
  for (const { name, run, at } of schedules) {
    if (!isIn(jobs, run)) yield `the schedule "${name}" runs "${run}", which is not a job`
    const reason = whyNoSchedule(at)
    if (reason) yield `the schedule "${name}": ${reason}`
  }
}

function whyNoSchedule(at: string): string | undefined {
  try {
    longestGap(at, 'UTC', new Date())
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function isView({ views = {} }: Domain, name: string): boolean {
  return isIn(views, name)
}

function isIn(names: object, name: string): boolean {
  return Object.hasOwn(names, name)
}
