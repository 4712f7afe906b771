select pg_backend_pid(), a.format, current_setting('synchronous_standby_names') <> '',
       a.epoch, a.at, a.last, a.added, a.wrote
from {schema}.append($1::bigint, $2::bigint, $3::bigint[], $4::int[], $5::bytea[], $6::bigint[], $7::bigint[]) a
