import type { Request, RequestHandler, Response } from 'express'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { PrewarmError } from '../engine/errors.ts'

const WINDOW_SECONDS = 60

export type RateLimit = {
  /** Takes one request off the caller's minute. */
  take(caller: string): Promise<{ isAllowed: boolean; headers: Record<string, string> }>
}

/** Per process: several instances allow as many times the number. */
export function createRateLimit(perMinute: number): RateLimit {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: WINDOW_SECONDS })
  const policy = `"per-caller";q=${perMinute};w=${WINDOW_SECONDS}`
  const headersOf = ({
    remainingPoints,
    msBeforeNext,
  }: RateLimiterRes): Record<string, string> => ({
    'ratelimit-policy': policy,
    ratelimit: `"per-caller";r=${remainingPoints};t=${Math.ceil(msBeforeNext / 1000)}`,
  })
  return {
    take: async (caller) => {
      try {
        return { isAllowed: true, headers: headersOf(await limiter.consume(caller)) }
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused
        const retryAfter = String(Math.ceil(refused.msBeforeNext / 1000))
        return { isAllowed: false, headers: { ...headersOf(refused), 'retry-after': retryAfter } }
      }
    },
  }
}

/** Counts a request for `caller`, tells him where he stands, and rejects with `too_many_requests` when his minute is used up. */
export async function takeOrRefuse(
  limit: RateLimit,
  caller: string,
  response: Response,
): Promise<void> {
  const { isAllowed, headers } = await limit.take(caller)
  response.set(headers)
  if (isAllowed) return
  throw new PrewarmError('too_many_requests', 'Too many requests; see the Retry-After header.')
}

/** For routes without a caller. */
export function limitAddresses(limit: RateLimit): RequestHandler {
  return async (request, response, next) => {
    await takeOrRefuse(limit, addressOf(request), response)
    next()
  }
}

/** An IPv6 address counts as its /64, because whoever has one address of that has them all. */
export function addressOf({ ip = '' }: Pick<Request, 'ip'>): string {
  return `address ${ip.includes(':') && !ip.includes('.') ? networkOf(ip) : ip}`
}

function networkOf(ip: string): string {
  const [head = [], tail = []] = ip.split('::').map((half) => half.split(':').filter(Boolean))
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...tail].slice(0, 4).join(':')
}
