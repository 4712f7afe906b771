//! How to run `revocation-sidecar`: one process beside an API, a proxy or an authorization server.
//!
//! The binary is configuration and wiring. What it wires is this crate: the
//! [reverse proxy](crate::proxy::ReverseProxy), the [decision](crate::proxy::VerifyService) for other proxies,
//! the [revocation layer](crate::RevocationLayer) and the [log](crate::log). Build it with
//! `cargo build --release --features sidecar`, and try it with `cargo run --features sidecar -- demo`.
//!
//! # Configuration
//!
//! A TOML file, then environment variables, then flags. `SIDECAR_GATEWAY__UPSTREAM=…` and
//! `--set gateway.upstream=…` set the same key. An unknown key or variable is an error, which names
//! the file and the line. `--check` reads everything. It exits with 2 if something is wrong, and with 1 if
//! this user could not start with it on this machine: as root, or without the right to write the log or the
//! socket. `--print-default` prints every key with a comment.
//!
//! Secrets are always in files of their own, named by keys that end in `_file`. They are never
//! arguments, and never in a log line.
//!
//! The process reads the configuration and all files that it names again after `SIGHUP`, and when one
//! of them has changed (every 30 s). It takes the new configuration wholly or not at all: after a
//! mistake the old one goes on, and the log, `/readyz` and a gauge say so. Listeners and the log are
//! the exception: to change them, restart.
//!
//! # Listeners and routes
//!
//! | listener | route | what it does |
//! |---|---|---|
//! | `gateway.listen` | `revoke.path` | revocation (RFC 7009) |
//! | | `profile.path` | the revocation call of another system |
//! | | `me.path` + `/sessions`, `/tokens:revoke` | a user's own sessions |
//! | | `me.pages` and below | the same as pages, without scripts |
//! | | everything else | checked, then passed to `gateway.upstream` |
//! | `verify.listen` | `/verify`, `/verify/…`, any method | the decision over HTTP |
//! | | `envoy.service.auth.v3.Authorization/Check` | the same decision over gRPC |
//! | `feed.listen` | `/feed` | the log, for other sidecars |
//! | `admin.listen`, `admin.socket` | `/livez` | 200 while the process responds |
//! | | `/readyz` | 200 when the index is fresh and the issuers' keys are fetched; JSON with the reasons |
//! | | `/metrics` | Prometheus text |
//! | | `/v1/revocations`, `/v1/tokens:inspect`, `/v1/sightings`, `/v1/status` | orders and questions: see [`admin`](crate::admin) |
//! | `admin.listen` | everything else, if `admin.pages` is true | pages for operators, without scripts |
//!
//! `/readyz` and `/metrics` of `admin.listen` are for requests to an address, to `localhost` or to one of
//! `admin.hosts`. For another `Host` they are 421, because a web page could have a name that leads there.
//!
//! `verify`, `feed` and `admin` are for this machine unless they have TLS or `insecure = true`.
//!
//! # Revocations
//!
//! `mode` has no default:
//!
//! * `terminate`: the sidecar is the revocation endpoint. Its clients are in a registry (RFC 7591) that
//!   is reloaded. A token that no issuer here recognizes is 400 `unsupported_token_type`, unless each
//!   issuer has an introspection endpoint: 200 would claim that it is not live.
//! * `forward`: the authorization server authenticates the client and revokes. After its 200, the
//!   sidecar records the presented token, and responds with 200 once the record is durable. If the
//!   record fails, the response is 503, and the retry of the client does no harm. **A 200 proves no
//!   ownership**: some servers say 200 for the token of another client. So only the presented token is
//!   recorded, and what belongs to it only if the registry here knows the client or the server's
//!   introspection says that the token is no longer active.
//!
//! With several issuers, each client of the registry names those whose tokens it may revoke:
//! `"issuers": ["https://id.example.com"]`. A client that names none is a mistake in the configuration. A
//! token of another issuer is 400 `invalid_grant`, also if that issuer has a client with the same
//! identifier. An assertion of a client (`private_key_jwt`) is for its issuer, unless `revoke.audiences`
//! says otherwise.
//!
//! Refresh tokens of Auth0, Okta and Cognito are opaque, and there is no introspection that knows them.
//! [`Links`](crate::revoke::Links) learn at the token endpoint, when it is behind the gateway, to
//! which session and subject a refresh token belongs. They are stored as digests. The revocation of a
//! refresh token that no link knows is 400 `unsupported_token_type` in the mode `terminate`.
//!
//! Clients that were written for the revocation call of another system can call it here: `[[profile]]` puts
//! one of [`profiles`](crate::profiles) on a path of its own, with the clients of `[revoke]`.
//!
//! # Sessions of users
//!
//! The log has digests, so it cannot list the tokens of a user. With `[sightings]`, the gateway notes which
//! tokens pass: see [`sightings`](crate::sightings) for what is kept. Operators then see those of a subject
//! at `/v1/sightings`, and a dry run says how many an order would end. With `[me]`, users list and end
//! their own sessions with their own token: see [`OwnSessions`](crate::admin::OwnSessions). Both know only
//! what this process has seen since it was started, and nothing of what `[verify]` decides. With pages, the
//! gateway removes the cookies of the pages from the requests to the API.
//!
//! The identifiers of sessions end with the process, unless `sightings.key_file` has a key. **Several
//! nodes need the same key**: otherwise an identifier of one node is 404 at the others. Changes of the
//! limits are used at the next reload, and the table stays. To switch `[sightings]` on or off, restart.
//!
//! # What clients see
//!
//! | failure | gateway, `/verify` | ext_authz over gRPC | revocation |
//! |---|---|---|---|
//! | no token | 401 without an error code | denied 401 | – |
//! | revoked, expired, not genuine | 401 `invalid_token`; a gRPC call through the gateway: 16 | denied 401 | – |
//! | malformed, such as two Authorization fields | 400 | denied 400 | 400 |
//! | a signature that no key fits, and keys that are not newer than the token: the issuer may have new ones | 503 with `Retry-After` | denied 503 | 503 |
//! | index not fresh, keys or introspection out of reach | 503 with `Retry-After` | denied 503 | 503 |
//! | log down or full | what is known is served | the same | 503 |
//! | API refuses the connection, or is slow | 502, 504 | – | 503 for the authorization server |
//! | wrong configuration | exit code 2, and a line for each mistake | | |
//!
//! # Proxies
//!
//! `examples/proxies` has a configuration for each, which the tests start, and for Istio, Kong, Envoy
//! Gateway and the filter `ExternalAuth` of Gateway API, whose calls the tests replay. What each needs, because it
//! does not fail closed or hides a status by default:
//!
//! | proxy | 401 | 503 | sidecar down or slow | the configuration must have |
//! |---|---|---|---|---|
//! | Envoy, gRPC | as is | as is | 403, or `status_on_error` | `failure_mode_allow: false`, a time-out |
//! | Envoy, HTTP | as is | 403 without `Retry-After` | 403, or `status_on_error` | allowed headers |
//! | nginx | with the challenge | 500, or 503 by `error_page` | 500 | time-outs |
//! | Caddy | as is | as is | waits, or 502 | `response_header_timeout`, `copy_headers` |
//! | HAProxy, Lua | as is | as is | 504, 503 | deny unless a variable is set |
//! | Traefik | as is | as is | 500 | `authRequestHeaders`, no `trustForwardHeader` |
//! | Istio | as Envoy | as Envoy | 403, or `statusOnError` | `failOpen: false`, a time-out (default 600 s) |
//!
//! The proxy removes other spellings of the identity headers (`X_Token_Subject`) itself: the sidecar
//! only overwrites the names that it is configured with. The gateway removes all spellings.
//!
//! # Security defaults
//!
//! * No 200 rests on something that could not be found out: 503.
//! * Tokens come in the Authorization field only. A repeated field is 400.
//! * `optional` routes match canonical paths only. A path with `//`, `/.`, `\`, `;`, or an escape of a letter
//!   (`%61`), of `/` or of `\`, always needs a token.
//! * CORS preflights need a token too, unless `preflight = "pass"`.
//! * `X-Original-URI`, `X-Forwarded-Uri` and the like are believed only from `verify.trusted_proxies`.
//!   `Forwarded` never is.
//! * Requests are never sent twice. Redirects of issuers are not followed.
//! * Every listener limits connections, heads and idle time: section `[limits]`.
//! * The admin socket serves processes of its own user and of root only, whatever the mode of the file.
//! * The process does not run as root unless `run.allow_root` is set. It changes no user by itself: the
//!   unit of systemd has a user of its own, and the image the user 65532. Files are for its user only, and
//!   there are no core files.
//!
//! # Signals and exit codes
//!
//! `SIGTERM` and `SIGINT` end the process: `/readyz` is 503 at once, listeners close after
//! `run.shutdown_delay` (2 s), and requests in flight have `run.shutdown_timeout` (20 s). The exit code is 0.
//! A mistake in the configuration or a wrong key is 2. A taken address, a log that is open elsewhere and
//! anything else is 1, so that a supervisor tries again. systemd is told when the process is ready,
//! reloads and ends, and that it is alive.
//!
//! # Orders
//!
//! Every order of an operator is kept beside the log, in its file or on its server, for
//! `admin.keep_orders` (400 days): who ordered what, when and why, and what came of it. `revocation-sidecar orders` prints them,
//! and `/v1/revocations:export` has all of them. Names of sessions, grants and tokens are fingerprints.
//! An order that cannot be written is 503, and revokes nothing. A backup of the log has the orders, too.
//!
//! A sidecar behind a feed keeps no orders: a warning at its start says so, and
//! `details.orders_are_kept` of its status is `false`. Revocations of clients are not orders: they are
//! events.
//!
//! # Refresh tokens
//!
//! An order about a subject, a client, a key or an issuer ends what was issued until now. A refresh
//! token lives at the issuer, and mints the next token, which is live. So an `[[issuer]]` can have
//! `on_revoke`:
//!
//! * `keycloak` logs the user out at Keycloak, whatever client the tokens are of: it is told of orders
//!   about a subject only. The client is confidential, with a service account that has the role
//!   `manage-users` of `realm-management`. See [`Keycloak`](crate::notify::Keycloak).
//! * `webhook` sends a signed notice to a receiver of your own. The file has a key on each line, at most
//!   four. See [`Webhook`](crate::notify::Webhook).
//!
//! The issuer is told again and again for seven days, also after a restart: see
//! [`notify`](crate::notify). `refresh_tokens` in the receipt is then `pending`, and `orders --json` and
//! `/v1/revocations/{id}` say when it has `ended`, or that it has `failed`. Watch
//! `tower_revocation_notices_oldest_seconds`. Without `on_revoke`, it is
//! `untouched`: end the refresh tokens at the issuer.
//!
//! # Sizing
//!
//! A connection over HTTP/1.1 takes 32 KiB while it is idle, and 48 KiB with an open response, if each has
//! a token of its own. So 9,500 event streams take 462 MiB. An order about their subject cuts all of them
//! before it is answered, within 0.3 s on two cores. A request takes half of the CPU time that Envoy takes
//! with `jwt_authn`. `benches/README.md` has the figures and how they were measured.
//!
//! # Not promised
//!
//! * The registry of `[revoke]` has each client identifier once. Two clients with the same identifier
//!   and different secrets, each at an issuer of its own, need two sidecars.
//! * **A stream or WebSocket that passed through another proxy goes on after a revocation.** Only the
//!   gateway cuts what is open.
//! * Two sidecars with a file each know nothing of each other.
//! * Revocations at the authorization server, past the sidecar, are not seen.
//! * An order is about an issuer of the configuration, and one about another is 422. A process that
//!   only serves the feed needs the `[[issuer]]` sections too, to take orders.
//! * A subject order ends what was issued until now. A refresh token at the authorization server gets
//!   new, live tokens: revoke it there too.
