// Side (a): a bare `node:http` server that sends the bytes of a file. `node … FILE`; prints its port as JSON.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { serveOn } from './serve-on.ts'

const bytes = readFileSync(process.argv[2] ?? '')
const headers = {
  'content-type': 'application/json; charset=utf-8',
  'content-length': bytes.length,
}

await serveOn(createServer((_request, response) => response.writeHead(200, headers).end(bytes)))
