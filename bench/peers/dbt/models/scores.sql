select class_id, park_id,
       sum(round(25 * greatest(0, least(1, ytd / 100000)) * 100))::bigint as points
from {{ source('raw', 'figures') }}
where indicator in ('I00', 'I02', 'I04', 'I05') and not isnan(ytd)
group by all
having count(*) = 4
