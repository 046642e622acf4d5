// The domains that are installed, one line each.
import { campaigns } from './campaigns/index.ts'
import { crm } from './crm/index.ts'
import { customers } from './customers/index.ts'

export const domains = [crm, customers, campaigns]
