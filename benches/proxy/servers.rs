//! The servers that are compared.

use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::{
    cpu,
    issuer::{AUDIENCE, ISSUER, Issuer},
    process::{Server, free_address},
};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// hyper and hyper-util, and nothing else.
    Bare,
    Gateway,
    Nginx,
    NginxAuthRequest,
    Envoy,
    EnvoyJwt,
    /// A server of hyper that says 200.
    Hyper,
    Verify,
}

impl Kind {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare hyper-util proxy",
            Self::Gateway => "the gateway",
            Self::Nginx => "nginx",
            Self::NginxAuthRequest => "… auth_request, verify",
            Self::Envoy => "Envoy",
            Self::EnvoyJwt => "… jwt_authn",
            Self::Hyper => "bare hyper server",
            Self::Verify => "verify",
        }
    }

    pub(crate) fn start(self, api: SocketAddr, issuer: &Issuer) -> Server {
        let program = sidecar();
        let mut server = Server::new();
        let address = server.address.to_string();
        // The threads of a child stay on the CPU of its parent.
        cpu::pin_to_first();
        match self {
            Self::Bare => {
                let api = api.to_string();
                server.start(&this(), &["--serve", "proxy", &address, &api]);
            }
            Self::Hyper => server.start(&this(), &["--serve", "hyper", &address]),
            Self::Gateway => {
                let gateway =
                    format!("[gateway]\nlisten = {address:?}\nupstream = \"http://{api}\"\n");
                self::start(&mut server, program, &gateway, issuer);
            }
            Self::Verify => {
                let verify = format!("[verify]\nlisten = {address:?}\n");
                self::start(&mut server, program, &verify, issuer);
            }
            Self::Nginx => nginx(&mut server, api, None),
            Self::NginxAuthRequest => {
                let verify = free_address();
                let section = format!("[verify]\nlisten = \"{verify}\"\n");
                self::start(&mut server, program, &section, issuer);
                nginx(&mut server, api, Some(verify));
            }
            Self::Envoy => envoy(&mut server, api, ""),
            Self::EnvoyJwt => envoy(&mut server, api, &jwt_authn(issuer)),
        }
        cpu::pin_to_last();
        server
    }
}

fn this() -> PathBuf {
    env::current_exe().expect("this program has a path")
}

/// The sidecar, built as its users build it.
pub(crate) fn sidecar() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release", "--locked", "--features", "sidecar"])
            .args(["--bin", "revocation-sidecar"])
            .current_dir(&root)
            .env_remove("CARGO_TARGET_DIR")
            .status();
        assert!(
            status.expect("cargo runs").success(),
            "the sidecar is built"
        );
        let program = root.join("target/release/revocation-sidecar");
        program.canonicalize().expect("it was built")
    })
}

/// A sidecar with one listener for its clients, and its log in a file.
fn start(server: &mut Server, program: &Path, listener: &str, issuer: &Issuer) {
    server.write("keys.json", &issuer.keys);
    let config = format!(
        "[run]\nallow_root = true\n\
         [logging]\nlevel = \"warn\"\n\
         [log]\npath = \"log.redb\"\nlongest_lifetime = \"1h\"\n\
         [[issuer]]\nurl = {ISSUER:?}\naudience = {AUDIENCE:?}\njwks_file = \"keys.json\"\n\
         [admin]\nsocket = \"admin.sock\"\n\
         [limits]\nconnections_per_address = 20000\n\
         {listener}"
    );
    server.write("sidecar.toml", &config);
    server.start(program, &["--config", "sidecar.toml"]);
}

/// nginx as a proxy with connections that it keeps, and that asks about each request.
fn nginx(server: &mut Server, api: SocketAddr, verify: Option<SocketAddr>) {
    let folder = server.path("");
    let folder = folder.display();
    let address = server.address;
    let (ask, asked) = match verify {
        Some(verify) => (
            "auth_request /_verify;",
            format!(
                "upstream verify {{ server {verify}; keepalive 64; keepalive_requests 1000000; }}"
            ),
        ),
        None => ("", String::new()),
    };
    let location = verify.map_or("", |_| {
        "location = /_verify {
            internal;
            proxy_pass_request_body off;
            proxy_set_header Content-Length \"\";
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_pass http://verify/verify;
        }"
    });
    server.write(
        "nginx.conf",
        &format!(
            "daemon off; master_process off; user root; pid {folder}pid;
            events {{ worker_connections 4096; }}
            http {{
                access_log off; keepalive_requests 1000000;
                client_body_temp_path {folder}body; proxy_temp_path {folder}proxy;
                fastcgi_temp_path {folder}fastcgi; uwsgi_temp_path {folder}uwsgi;
                scgi_temp_path {folder}scgi;
                upstream api {{ server {api}; keepalive 64; keepalive_requests 1000000; }}
                {asked}
                server {{
                    listen {address};
                    location / {{
                        {ask}
                        proxy_http_version 1.1;
                        proxy_set_header Connection \"\";
                        proxy_pass http://api;
                    }}
                    {location}
                }}
            }}"
        ),
    );
    let config = server.path("nginx.conf");
    let config = config.to_str().expect("UTF-8");
    server.start(
        Path::new("/usr/sbin/nginx"),
        &["-e", "stderr", "-c", config],
    );
}

/// Envoy with one worker, and this filter before its router.
fn envoy(server: &mut Server, api: SocketAddr, filter: &str) {
    let (port, api) = (server.address.port(), api.port());
    server.write(
        "envoy.yaml",
        &format!(
            r#"
static_resources:
  listeners:
    - name: clients
      address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: clients
                route_config:
                  virtual_hosts:
                    - name: api
                      domains: ["*"]
                      routes:
                        - match: {{ prefix: / }}
                          route: {{ cluster: api, timeout: 0s }}
                http_filters:{filter}
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
    - name: api
      connect_timeout: 1s
      load_assignment:
        cluster_name: api
        endpoints:
          - lb_endpoints:
              - endpoint:
                  address: {{ socket_address: {{ address: 127.0.0.1, port_value: {api} }} }}
"#
        ),
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let program = root.join("target/proxies/envoy/_bin/envoy");
    let arguments = ["--disable-hot-restart", "--concurrency", "1", "-l", "error"];
    server.start(&program, &[&arguments[..], &["-c", "envoy.yaml"]].concat());
}

/// The filter that verifies the same tokens, with its cache of tokens.
fn jwt_authn(issuer: &Issuer) -> String {
    let keys = &issuer.keys;
    format!(
        r#"
                  - name: envoy.filters.http.jwt_authn
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
                      providers:
                        issuer:
                          issuer: {ISSUER}
                          audiences: [{AUDIENCE}]
                          forward: true
                          local_jwks: {{ inline_string: '{keys}' }}
                          jwt_cache_config: {{ jwt_cache_size: 1000 }}
                      rules:
                        - match: {{ prefix: / }}
                          requires: {{ provider_name: issuer }}"#
    )
}
