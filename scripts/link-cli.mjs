// Makes `npx prewarm` work in a checkout: npm links the commands of dependencies, but not the package's own.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const bin = join(import.meta.dirname, '..', 'node_modules', '.bin')
const link = join(bin, 'prewarm')
mkdirSync(bin, { recursive: true })
rmSync(link, { force: true })
symlinkSync('../../backend/cli/prewarm.mjs', link)
