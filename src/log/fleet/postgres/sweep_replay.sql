select pg_backend_pid(), m.format, current_setting('synchronous_standby_names') <> '',
       s.gone, s.more
from {schema}.meta m, {schema}.sweep_replay($1::int) s
