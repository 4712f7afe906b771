with begun as (
    update {schema}.meta m set epoch = $2::bigint where {schema}.incarnation(m.epoch) = $1::bigint
    returning m.format
)
select pg_backend_pid(), m.format, current_setting('synchronous_standby_names') <> ''
from {schema}.meta m left join begun b on true
