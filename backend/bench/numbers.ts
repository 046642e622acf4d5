// The numbers and lists of the dashboard bundle, one query each. A tenant's id is `$1`.

const CLOSED =
  "('won', 'closed_won', 'closedwon', 'closed won', 'lost', 'closed_lost', 'closedlost', 'closed lost')"
const WON = "('won', 'closed_won', 'closedwon', 'closed won')"
const DONE = "('converted', 'lost')"
const RECENT = "coalesce(created_date, created_at) >= now() - interval '30 days'"

export const NUMBERS: Record<string, string> = {
  totalContacts: 'select count(*) as value from crm.contacts where true',
  totalAccounts: 'select count(*) as value from crm.accounts where true',
  totalLeads: 'select count(*) as value from crm.leads where true',
  totalOpportunities: 'select count(*) as value from crm.opportunities where true',
  openLeads: `select count(*) as value from crm.leads where (lower(status) in ${DONE}) is not true`,
  wonOpportunities: `select count(*) as value from crm.opportunities where lower(stage) in ${WON}`,
  openOpportunities: `select count(*) as value from crm.opportunities where (lower(stage) in ${CLOSED}) is not true`,
  newLeadsLast30Days: `select count(*) as value from crm.leads where ${RECENT} and (lower(status) in ${DONE}) is not true`,
  activitiesLast30Days: `select count(*) as value from crm.activities where ${RECENT}`,
  pipelineValue: `select coalesce(sum(amount), 0) as value from crm.opportunities where (lower(stage) in ${CLOSED}) is not true`,
  wonValue: `select coalesce(sum(amount), 0) as value from crm.opportunities where lower(stage) in ${WON}`,
}

export const LISTS: Record<string, { select: string; order: string }> = {
  leadsBySource: {
    select:
      "select coalesce(nullif(trim(source), ''), 'other') as source, count(*) as value from crm.leads where true",
    order: 'group by 1',
  },
  recentActivities: {
    select:
      'select id, type, subject, status, created_at, created_date, assigned_to, tenant_id from crm.activities where true',
    order: 'order by created_at desc limit 10',
  },
  recentLeads: {
    select:
      'select id, first_name, last_name, company, email, phone, created_date, created_at, status, source, is_test_data, tenant_id, assigned_to from crm.leads where true',
    order: 'order by created_at desc limit 50',
  },
  recentOpportunities: {
    select:
      'select id, name, amount, stage, probability, updated_at, is_test_data, tenant_id, assigned_to from crm.opportunities where true',
    order: 'order by updated_at desc limit 50',
  },
}

const KINDS = { test: 'is_test_data', real: 'is_test_data is not true', total: 'true' }

const COUNTED: Record<string, string> = {
  sources: "crm.bizdev_sources where (lower(status) = 'promoted') is not true",
  leads: `crm.leads where (lower(status) in ${DONE}) is not true`,
  contacts: 'crm.contacts where true',
  accounts: 'crm.accounts where true',
}

const STAGES = [
  'prospecting',
  'qualification',
  'proposal',
  'negotiation',
  'closed_won',
  'closed_lost',
]

/** The numbers of the funnel: 12 counts, and a count and a value for each stage, with and without test data. */
export const FUNNEL: Record<string, string> = Object.fromEntries(
  Object.entries(KINDS).flatMap(([kind, rule]) => [
    ...Object.entries(COUNTED).map(([name, rows]) => [
      `${name}_${kind}`,
      `select count(*) as value from ${rows} and ${rule}`,
    ]),
    ...STAGES.flatMap((stage) => {
      const rows = `crm.opportunities where lower(stage) = '${stage}' and ${rule}`
      return [
        [`${stage}_count_${kind}`, `select count(*) as value from ${rows}`],
        [`${stage}_value_${kind}`, `select coalesce(sum(amount), 0) as value from ${rows}`],
      ]
    }),
  ]),
)
