select *, rank() over (partition by class_id order by points desc) as rank
from {{ ref('scores') }}
