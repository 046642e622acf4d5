select workspace_id,
       coalesce(nullif(campaign_name, ''), 'Unknown') as campaign_name,
       count(*)::integer as leads
from campaigns.leads
where is_test is not true
group by 1, 2
