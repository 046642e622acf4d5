// Side (b): an Express route that reads JSON from Redis, parses it and answers `res.json`, as most dashboards do.
// `node … FILE` puts the file's bundle into Redis first; prints its port as JSON.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import express from 'express'
import { Redis } from 'ioredis'
import { readConfig } from '../config.ts'
import { serveOn } from './serve-on.ts'

const KEY = 'bench:bundle'

const redis = new Redis(readConfig().REDIS_CACHE_URL ?? '')
await redis.set(KEY, readFileSync(process.argv[2] ?? ''))
const app = express()
app.get('/bundle', async (_request, response) => {
  const { data }: { data: unknown } = JSON.parse((await redis.get(KEY)) ?? '')
  response.json({ status: 'success', data, cached: true })
})
await serveOn(createServer(app))
await redis.quit()
