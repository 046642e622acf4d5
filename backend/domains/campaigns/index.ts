import { defineDomain } from '../../engine/domain.ts'
import { range } from './params.ts'

const records = { tenantColumn: 'workspace_id' }

// A view recomputes every workspace: the changes of a minute are worth one refresh.
const refreshing = {
  refresh: [{ onChange: true, debounceSeconds: 60 }, { onEvent: 'etl.completed' }],
  targetLagSeconds: 600,
} as const

const DASHBOARD = [
  'mv_daily_stats',
  'mv_llm_cost',
  'mv_llm_cost_by_campaign',
  'mv_step_sends',
  'mv_contacts',
  'mv_contacts_by_campaign',
  'mv_leads',
] as const

const byDay = ['workspace_id', 'day'] as const

export const campaigns = defineDomain({
  name: 'campaigns',
  folder: import.meta.dirname,
  sources: {
    campaigns: records,
    leads: records,
    email_events: records,
    llm_usage: records,
  },
  views: {
    mv_daily_stats: {
      uniqueBy: [...byDay, 'campaign_name'],
      indexes: [['day'], ['campaign_name']],
      reads: ['email_events'],
      ...refreshing,
    },
    mv_llm_cost: {
      uniqueBy: [...byDay, 'provider', 'model'],
      indexes: [['day']],
      reads: ['llm_usage'],
      ...refreshing,
    },
    mv_llm_cost_by_campaign: {
      uniqueBy: [...byDay, 'campaign_name'],
      reads: ['llm_usage'],
      ...refreshing,
    },
    mv_step_sends: {
      uniqueBy: [...byDay, 'step'],
      reads: ['email_events'],
      ...refreshing,
    },
    mv_contacts: { uniqueBy: byDay, reads: ['email_events'], ...refreshing },
    mv_contacts_by_campaign: {
      uniqueBy: ['workspace_id', 'campaign_name', 'day'],
      reads: ['email_events'],
      ...refreshing,
    },
    mv_leads: { uniqueBy: ['workspace_id', 'campaign_name'], reads: ['leads'], ...refreshing },
  },
  reports: {
    dashboard_aggregate: {
      title: 'Campaigns',
      reads: ['campaigns', ...DASHBOARD],
      path: '/api/dashboard/aggregate',
      tenantParam: 'workspace_id',
      params: range,
      isBare: true,
      isForMembers: true,
      changesAt: 'local midnight',
    },
  },
  jobs: {
    refreshDashboardViews: { refresh: DASHBOARD },
    warmDashboardAggregate: { warm: 'dashboard_aggregate', tenants: 'expired' },
  },
  schedules: [
    { name: 'Refresh Dashboard Views', at: '*/5 * * * *', run: 'refreshDashboardViews' },
    // Each workspace's "last 30 days" move at its own midnight.
    {
      name: 'Warm Dashboard Aggregates',
      at: '0 0 * * *',
      timezone: 'tenant',
      run: 'warmDashboardAggregate',
    },
  ],
  refreshEndpoints: [{ path: '/api/admin/refresh-views', views: DASHBOARD, onGet: 'freshness' }],
  demo: { rowsPerTenant: 600 },
})
