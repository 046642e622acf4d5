import { messageOf } from '../errors.ts'
import { bodyOf, signatureOf, type Notification } from './notification.ts'

export type Webhook = { url: string; secret: string | undefined }

/** `refused` is for good: another attempt would be answered the same. */
export type Sent = { outcome: 'delivered' } | { outcome: 'failed' | 'refused'; error: string }

const TIMEOUT_MS = 5000

/** One attempt. */
export async function send(
  webhook: Webhook,
  notification: Notification,
  { now, signal }: { now: Date; signal: AbortSignal },
): Promise<Sent> {
  const cut = new AbortController()
  const stop = (): void => cut.abort(new Error('The process stopped.'))
  const late = (): void => cut.abort(new Error(`No answer within ${TIMEOUT_MS} ms.`))
  // AbortSignal.timeout in AbortSignal.any can be collected as garbage before it fires.
  const timer = setTimeout(late, TIMEOUT_MS)
  signal.addEventListener('abort', stop)
  try {
    signal.throwIfAborted()
    return await post(webhook, notification, { now, signal: cut.signal })
  } catch (error) {
    return { outcome: 'failed', error: networkError(error) }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

async function post(
  { url, secret }: Webhook,
  notification: Notification,
  { now, signal }: { now: Date; signal: AbortSignal },
): Promise<Sent> {
  const body = bodyOf(notification)
  const signature = secret ? { 'x-prewarm-signature': signatureOf(secret, body, now) } : {}
  const { address, authorization } = apart(url)
  const answer = await fetch(address, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'prewarm',
      'x-prewarm-delivery': notification.id,
      ...signature,
      ...authorization,
    },
    body,
    // A redirected POST would become a GET.
    redirect: 'manual',
    signal,
  })
  await answer.body?.cancel()
  return sentOf(answer)
}

// fetch refuses a URL with credentials, and says so with all of it, which would then stand in the logs.
function apart(url: string): { address: URL; authorization: { authorization?: string } } {
  const address = new URL(url)
  const { username, password } = address
  if (username === '' && password === '') return { address, authorization: {} }
  address.username = ''
  address.password = ''
  const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')
  return { address, authorization: { authorization: `Basic ${credentials}` } }
}

// A percent sign that begins no escape means itself.
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function sentOf({ ok, status }: Response): Sent {
  if (ok) return { outcome: 'delivered' }
  const isTemporary = status >= 500 || status === 429 || status === 408
  return { outcome: isTemporary ? 'failed' : 'refused', error: `The receiver answered ${status}.` }
}

// What fetch throws says "fetch failed"; its cause says why.
function networkError(error: unknown): string {
  const { cause } = error instanceof Error ? error : {}
  return messageOf(cause ?? error)
}
