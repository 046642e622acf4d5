import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import express, { Router } from 'express'
import { apiDescription, type Described } from '../openapi.ts'

// Only where the files lie: importing the package would load the whole page into the service.
const ASSETS = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))

const PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Prewarm API</title>
  <link rel="icon" href="/api/docs/assets/favicon-32x32.png">
  <link rel="stylesheet" href="/api/docs/assets/swagger-ui.css">
</head>
<body>
  <div id="docs"></div>
  <script src="/api/docs/assets/swagger-ui-bundle.js"></script>
  <script src="/api/docs/start.js"></script>
</body>
</html>
`

const START = `SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#docs', deepLinking: true })\n`

/** The description of the API and a page that shows it; nothing is fetched from elsewhere. */
export function docsRoutes(described: Described): Router {
  const router = Router()
  const description = apiDescription(described)
  router.get('/api/openapi.json', (_request, response) => void response.json(description))
  router.get('/api/docs', (_request, response) => void response.type('html').send(PAGE))
  router.get('/api/docs/start.js', (_request, response) => void response.type('js').send(START))
  router.use('/api/docs/assets', express.static(ASSETS, { index: false, maxAge: '1d' }))
  return router
}
