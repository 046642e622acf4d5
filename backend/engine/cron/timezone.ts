import { badRequest } from '../errors.ts'
import { nearest } from '../nearest.ts'

/** In place of a zone: the job is due in each tenant's own. */
export const TENANT_ZONE = 'tenant'

/** Whether the name is an IANA zone that this Node knows. */
export function isTimezone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** Refuses what is neither an IANA zone nor `tenant`. */
export function checkTimezone(name: string): void {
  if (name === TENANT_ZONE || isTimezone(name)) return
  const known = [TENANT_ZONE, 'UTC', ...Intl.supportedValuesOf('timeZone')]
  const meant = nearest(name, known)
  const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`
  throw badRequest(
    'timezone',
    `"${name}" is not a time zone.${hint} Use an IANA name such as "Europe/Berlin", or "${TENANT_ZONE}" for each tenant's own.`,
  )
}
