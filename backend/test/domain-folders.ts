// Folders with domains, as teams have them outside of this tree.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { testFolder } from './folder.ts'

export const TOTALS = { title: 'Totals', reads: ['sales'], changesAt: 'never' }
export const VIEW = {
  uniqueBy: ['tenant_id', 'day'],
  reads: ['sales'],
  refresh: [
    { everySeconds: 900, from: '06:00', to: '22:00', timezone: 'Asia/Bangkok' },
    { onChange: true, debounceSeconds: 60 },
    { onEvent: 'etl.completed' },
    { atLocalMidnight: true },
  ],
  targetLagSeconds: 600,
  indexes: [['day']],
  timeoutSeconds: 60,
}
export const SHOP = {
  name: 'shop',
  sources: { sales: { tenantColumn: 'tenant_id' } },
  reports: { totals: TOTALS },
  jobs: { warmShop: { warm: 'totals', tenants: 'all' } },
  schedules: [{ name: 'Warm the Shop', at: 'daily', run: 'warmShop' }],
}

export type DomainFolders = {
  /** A folder whose index exports this; a text is the index itself. */
  folderWith(index: object | string): Promise<string>
  remove(): Promise<void>
}

export async function domainFolders(): Promise<DomainFolders> {
  const { path: parent, remove } = await testFolder()
  let made = 0
  return {
    folderWith: async (index) => {
      made += 1
      const path = join(parent, `domain${made}`)
      const whole = `export const domain = { folder: import.meta.dirname, ...${JSON.stringify(index)} }`
      await mkdir(path)
      await writeFile(join(path, 'package.json'), '{ "type": "module" }')
      await writeFile(join(path, 'index.js'), typeof index === 'string' ? index : whole)
      return path
    },
    remove,
  }
}

export function withReport(changes: object): object {
  return { ...SHOP, reports: { totals: { ...TOTALS, ...changes } } }
}
