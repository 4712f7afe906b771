//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Refuses revoked OAuth tokens beside an API, a proxy or an authorization server.
#[derive(Debug, Parser)]
#[command(
    name = "revocation-sidecar",
    version,
    args_conflicts_with_subcommands = true
)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) source: Source,

    /// Check the configuration and the files that it names, and end. Exits with 2 if they are wrong, and
    /// with 1 if this user could not start with them here.
    #[arg(long, conflicts_with = "print_default")]
    pub(crate) check: bool,

    /// Print a configuration with comments, and end.
    #[arg(long)]
    pub(crate) print_default: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Where the configuration is.
#[derive(Args, Clone, Debug)]
pub(crate) struct Source {
    /// The configuration. Defaults to the variable `SIDECAR_CONFIG`, then to
    /// /etc/sidecar/config.toml if there is such a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Set a key of the configuration, such as gateway.upstream=http://127.0.0.1:3000. It counts
    /// more than the environment and the file. Can be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    /// Whether the environment is not read: the demo needs no settings.
    #[arg(skip)]
    pub(crate) without_environment: bool,
}

/// A command. All but `demo` and `restore` ask the sidecar that runs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start an issuer, an API and a sidecar on this machine, and print what to try.
    Demo,
    /// Revoke tokens by whose they are. Prints the receipt.
    Revoke(Revoke),
    /// Print the orders that were carried out, from new to old: who ordered what, when and why.
    Orders(Orders),
    /// Say what a token is, and whether it is revoked. Reads the token from standard input. Exits with 0
    /// if the token is live, with 3 if it is not, and with 1 if that could not be found out.
    CheckToken(Running),
    /// Print the state of the sidecar.
    Status(Running),
    /// Copy the log to a new file, which the sidecar writes. Only for a log in a file.
    Backup(Backup),
    /// Copy a backup of the log to a new file. Asks no sidecar. Tokens that were revoked after the backup
    /// are live again.
    Restore(Restore),
    /// Exit with 0 if the sidecar is ready, else with 1.
    Health(Health),
}

/// Which sidecar to ask.
#[derive(Args, Clone, Debug)]
pub(crate) struct Running {
    /// Its admin socket. Defaults to the one of the configuration.
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,

    /// Its configuration, as for the sidecar itself.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// What to revoke.
#[derive(Args, Debug)]
pub(crate) struct Revoke {
    #[command(flatten)]
    pub(crate) target: Target,

    /// The issuer whose subject, client, session, grant or token it is. Needed with several issuers.
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,

    /// Why, for the log.
    #[arg(long)]
    pub(crate) reason: Option<String>,

    /// Check the order, and revoke nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) running: Running,
}

/// Exactly one of these, or a subject and a client.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct Target {
    /// All tokens of a subject (`sub`).
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// All tokens of a client. With --subject: those that it holds for the subject.
    #[arg(long)]
    pub(crate) client: Option<String>,
    /// All tokens of a session (`sid`).
    #[arg(long, conflicts_with_all = ["subject", "client"])]
    pub(crate) session: Option<String>,
    /// All tokens of a grant.
    #[arg(long, conflicts_with_all = ["subject", "client", "session"])]
    pub(crate) grant: Option<String>,
    /// One token by its identifier (`jti`).
    #[arg(long, conflicts_with_all = ["subject", "client", "session", "grant"])]
    pub(crate) jti: Option<String>,
    /// All tokens bound to a key, by its thumbprint (`jkt`, `x5t#S256`).
    #[arg(long, conflicts_with_all = ["subject", "client", "session", "grant", "jti"])]
    pub(crate) key: Option<String>,
    /// All tokens of the issuer.
    #[arg(long, conflicts_with_all = ["subject", "client", "session", "grant", "jti", "key"])]
    pub(crate) all: bool,
}

/// Which orders to print.
#[derive(Args, Debug)]
pub(crate) struct Orders {
    /// Print each order as a line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print at most this many.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Only orders about this subject (`sub`).
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// Only orders of this operator. Those by the admin socket are of `socket`.
    #[arg(long)]
    pub(crate) actor: Option<String>,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// Where the copy goes.
#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// A path without a file, for the user of the sidecar. Must be absolute.
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// Which copy to restore.
#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// A copy that `backup` has made.
    #[arg(long, value_name = "COPY")]
    pub(crate) from: PathBuf,
    /// The path of the log, without a file.
    #[arg(long, value_name = "PATH")]
    pub(crate) to: PathBuf,
}

/// What to ask.
#[derive(Args, Debug)]
pub(crate) struct Health {
    /// Only ask whether the process responds.
    #[arg(long)]
    pub(crate) live: bool,
    #[command(flatten)]
    pub(crate) running: Running,
}
