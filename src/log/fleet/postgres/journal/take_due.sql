select pg_backend_pid(), m.format, current_setting('synchronous_standby_names') <> '',
       a.places, a.versions, a.dues, a.contents
from {schema}.meta m, {schema}.journal_take_due($1::bigint, $2::int, $3::bigint) a
