import { defineDomain } from '../../engine/domain.ts'
import { listParams, period } from './params.ts'

const records = { tenantColumn: 'tenant_id' }

const HOUR = 3600

export const customers = defineDomain({
  name: 'customers',
  folder: import.meta.dirname,
  sources: {
    customers: records,
    packages: records,
    sales: records,
  },
  views: {
    customer_kpis_cache: {
      uniqueBy: ['tenant_id'],
      reads: ['customers', 'packages', 'sales'],
      refresh: [
        { onChange: true, debounceSeconds: 60 },
        { onEvent: 'etl.completed' },
        { atLocalMidnight: true },
      ],
      // The time between two slots of the schedule, and some to come about.
      targetLagSeconds: 6.5 * HOUR,
    },
  },
  reports: {
    customer_kpis: {
      title: 'Customer KPIs',
      reads: ['customer_kpis_cache'],
      path: '/api/customers/kpis',
      params: period,
      isBare: true,
      isForMembers: true,
      changesAt: 'local midnight',
    },
    customer_list: {
      title: 'Customers',
      reads: ['customers', 'packages', 'sales', 'customer_kpis_cache'],
      path: '/api/customers',
      params: listParams,
      isBare: true,
      isForMembers: true,
      changesAt: 'local midnight',
    },
  },
  jobs: {
    refreshCustomerKpis: { refresh: ['customer_kpis_cache'] },
    warmCustomerKpis: { warm: 'customer_kpis', tenants: 'expired' },
    warmCustomerList: { warm: 'customer_list', tenants: 'expired' },
  },
  schedules: [
    { name: 'Refresh Customer KPIs', at: '0 */6 * * *', run: 'refreshCustomerKpis' },
    { name: 'Warm Customer KPIs', at: '0 0 * * *', timezone: 'tenant', run: 'warmCustomerKpis' },
    { name: 'Warm Customer Lists', at: '0 0 * * *', timezone: 'tenant', run: 'warmCustomerList' },
  ],
  refreshEndpoints: [
    { path: '/api/admin/refresh-kpis', views: ['customer_kpis_cache'], onGet: 'refresh' },
  ],
  demo: { rowsPerTenant: 300 },
})
