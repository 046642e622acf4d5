import * as z from 'zod'

const DAY_MS = 24 * 60 * 60 * 1000
const MOST_DAYS = 366

// Years that PostgreSQL can reckon with, whatever is taken from them.
const day = z.iso
  .date()
  .regex(/^(19|20|21)/, 'must lie between 1900 and 2199')
  .optional()

const name = z.string().max(200).optional()

/** A range of the workspace's own days, both ends included; costs are narrowed by the `provider` of the model. */
export const range = z
  .object({ start: day, end: day, campaign: name, provider: name })
  .refine(({ start = '', end }) => end === undefined || start <= end, {
    path: ['start'],
    message: 'must not be after end',
  })
  .refine(
    ({ start, end }) => start === undefined || end === undefined || days(start, end) <= MOST_DAYS,
    {
      path: ['end'],
      message: `must be within ${MOST_DAYS} days of start`,
    },
  )

function days(start: string, end: string): number {
  return (Date.parse(end) - Date.parse(start)) / DAY_MS + 1
}
