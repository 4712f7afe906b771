select pg_backend_pid(), a.format, current_setting('synchronous_standby_names') <> '',
       a.iat, a.exp, a.used, a.content, a.went_back
from {schema}.issued_find($1::bytea) a
