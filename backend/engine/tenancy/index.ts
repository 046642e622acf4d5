export { GLOBAL, type Principal, type Role, type Scope } from './scope.ts'
export { findTenant, findTenants, listActiveTenants, type Tenant } from './tenants.ts'
export { createMidnights, nextLocalMidnight, type Midnights } from './local-day.ts'
export { createDemoTenants, findDemoTenants } from './demo-tenants.ts'
