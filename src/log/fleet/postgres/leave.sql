with gone as (delete from {schema}.member where id = $1::bigint returning id)
select pg_backend_pid(), m.format, current_setting('synchronous_standby_names') <> ''
from {schema}.meta m left join gone g on true
