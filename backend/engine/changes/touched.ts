/** What `$1`, changes as JSON, touched: one row per source and tenant. To begin a statement with. */
export const WITH_TOUCHED = `
  with change as (
    select source, tenant, "changedAt" as changed_at
    from jsonb_to_recordset($1::jsonb) as given (source text, tenant uuid, "changedAt" timestamptz)
  ), touched as (
    select source, tenant, changed_at from change where tenant is not null
    union all
    select source, id, changed_at from change cross join tenant where change.tenant is null
  )`
