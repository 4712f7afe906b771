select pg_backend_pid(), m.format, current_setting('synchronous_standby_names') <> '',
       s.gone, s.more
from {schema}.meta m, {schema}.sweep_journal($1::int) s
