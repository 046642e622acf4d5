import { defineDomain } from '../../engine/domain.ts'

const records = { tenantColumn: 'tenant_id' }

export const crm = defineDomain({
  name: 'crm',
  folder: import.meta.dirname,
  sources: {
    contacts: records,
    accounts: records,
    leads: records,
    opportunities: records,
    activities: records,
    bizdev_sources: records,
  },
  reports: {
    dashboard_bundle: {
      title: 'Dashboard',
      reads: ['contacts', 'accounts', 'leads', 'opportunities', 'activities', 'bizdev_sources'],
      key: 'dashboard:bundle',
      alias: 'dashboard-bundle',
      variant: {
        param: 'include_test_data',
        keyName: 'include',
        values: ['true', 'false'],
        default: 'true',
      },
      scoped: true,
      mergesTenants: true,
      changesAt: 'local midnight',
      widgets: {
        salesPipeline: ['lists.recentOpportunities'],
        salesFunnel: [],
        leadSourceChart: ['stats.leadsBySource', 'lists.recentLeads'],
        topAccounts: [],
        topOpportunities: [],
        conversionRates: [],
        leadAgeReport: ['lists.recentLeads'],
        recentActivities: ['lists.recentActivities'],
      },
    },
  },
  jobs: {
    warmDashboardBundleCache: { warm: 'dashboard_bundle', tenants: 'all' },
    rollOverDashboardBundleCache: { warm: 'dashboard_bundle', tenants: 'expired' },
  },
  schedules: [
    {
      name: 'Warm Dashboard Bundle Cache',
      at: 'cron:0 0 * * *',
      run: 'warmDashboardBundleCache',
    },
    // Each tenant's "last 30 days" move at its own midnight.
    {
      name: 'Roll Over Dashboard Bundles',
      at: 'cron:0 0 * * *',
      timezone: 'tenant',
      run: 'rollOverDashboardBundleCache',
    },
  ],
  demo: { rowsPerTenant: 300 },
})
