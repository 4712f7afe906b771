//! `kill -9` while clients log in: every refresh token that a client has is known afterwards.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use super::*;

/// The folder of the child, which is this program, started again.
const FOLDER: &str = "LINKS_OF_A_KILLED_PROCESS";
const TEST: &str = "links::killed::no_client_has_a_token_that_is_unknown_after_a_kill";
/// How many logins the child has completed at least when it is killed.
const LOGINS: usize = 40;

/// Ends the child, whatever the test does.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Logs in until it is killed, and rotates each refresh token once.
async fn log_in_for_ever(folder: &Path) {
    let world = World::at(folder).await;
    loop {
        let [_, first] = world.login().await;
        println!("\nclient has {first}");
        let [_, second] = world.refresh(&first).await.tokens();
        println!("\nclient has {second}");
    }
}

#[tokio::test]
async fn no_client_has_a_token_that_is_unknown_after_a_kill() {
    if let Some(folder) = env::var_os(FOLDER) {
        return log_in_for_ever(folder.as_ref()).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = Killed(child.unwrap());
    let output = child.0.stdout.take().unwrap();
    let printed = BufReader::new(output).lines().map_while(Result::ok);
    let mut tokens = Vec::new();
    for line in printed {
        // What is still in the pipe after the kill, a client has too.
        tokens.extend(line.strip_prefix("client has ").map(str::to_owned));
        if tokens.len() == LOGINS {
            child.0.kill().unwrap();
        }
    }
    assert!(tokens.len() >= LOGINS, "{}", tokens.len());
    let links = Links::open(open(folder.path())).unwrap();
    for token in tokens {
        assert!(
            links.find(&Secret::new(&*token)).unwrap().is_some(),
            "{token}"
        );
    }
}
