// A receiver of webhooks: a real HTTP server that answers what the test says and keeps what it was sent.
import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type ServerResponse,
} from 'node:http'

export type Received = { headers: IncomingHttpHeaders; body: string }

export type Receiver = {
  url: string
  received: Received[]
  /** How the next requests are answered, one after the other: by a status, or never. 200 when none is left. */
  answer(...answers: (number | 'never')[]): void
  /** Connections are refused until `up`. */
  down(): Promise<void>
  up(): Promise<void>
  stop(): Promise<void>
}

export async function receiver(): Promise<Receiver> {
  const received: Received[] = []
  let answers: (number | 'never')[] = []
  const server = createServer(
    keeping(received, (response) => {
      const next = answers.shift() ?? 200
      if (next !== 'never') response.writeHead(next).end('ok')
    }),
  )
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  }
  const port = await listen(0)
  const down = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answer: (...given) => {
      answers = given
    },
    down,
    up: async () => void (await listen(port)),
    stop: down,
  }
}

function keeping(
  received: Received[],
  answer: (response: ServerResponse) => void,
): RequestListener {
  return (request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (piece: string) => {
      body += piece
    })
    request.on('end', () => {
      received.push({ headers: request.headers, body })
      answer(response)
    })
  }
}
