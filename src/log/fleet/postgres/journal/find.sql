select pg_backend_pid(), m.format, current_setting('synchronous_standby_names') <> '',
       a.places, a.versions, a.dues, a.contents
from {schema}.meta m, {schema}.journal_get(null, $1::bytea) a
