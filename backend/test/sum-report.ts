/** The SQL of a report that adds up the amounts of a tenant in a table or view. */
export function sumOf(table: string): string {
  return `
    select t.id as tenant_id, json_build_object('amount', coalesce(sum(s.amount), 0)) as data
    from unnest(:'tenant_ids'::uuid[]) t (id)
    left join ${table} s on s.tenant_id = t.id
    group by t.id`
}
