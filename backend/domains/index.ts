// The domains that are installed, one line each.
import { crm } from './crm/index.ts'

export const domains = [crm]
