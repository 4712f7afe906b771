select pg_backend_pid(), m.format, current_setting('synchronous_standby_names') <> '',
       a.waiting
from {schema}.meta m, {schema}.journal_waiting() a
