//! The lines that `demo` prints work.

use std::process::Command;

use super::process::{Sidecar, output, program};

/// The statuses that curl has printed.
fn statuses(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| line.starts_with("HTTP/1.1 "));
    lines.filter_map(|line| line.split(' ').nth(1)).collect()
}

#[test]
fn printed_lines_get_a_token_use_it_revoke_it_and_see_that_it_is_refused() {
    let mut command = program();
    // The demo must work without any setting.
    command.arg("demo").env_remove("SIDECAR_RUN__ALLOW_ROOT");
    // Nor do those of another sidecar matter, or what is no setting.
    command.env("SIDECAR_GATEWAY__UPSTREAM", "http://127.0.0.1:1");
    command.env("SIDECAR_MISTAKE", "1");
    printed_lines_work(command);
}

#[test]
fn printed_lines_work_if_the_paths_need_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("a b'c$d\"e\\f");
    std::fs::create_dir(&odd).unwrap();
    // The lines name the program by its real path.
    let copy = odd.join("revocation sidecar");
    let built = program();
    if std::fs::hard_link(built.get_program(), &copy).is_err() {
        std::fs::copy(built.get_program(), &copy).unwrap();
    }
    let mut command = Command::new(copy);
    command.arg("demo").env("TMPDIR", &odd);
    printed_lines_work(command);
}

fn printed_lines_work(command: Command) {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: curl is missing");
        return;
    }
    let sidecar = Sidecar::run(command);
    sidecar.wait_for("Ctrl-C ends");
    let log = sidecar.log();
    let is_command = |line: &&str| {
        let starts = ["TOKEN=", "  |", "curl "];
        starts.iter().any(|start| line.starts_with(start)) || line.contains(" revoke --subject ")
    };
    let lines: Vec<_> = log.lines().filter(is_command).collect();
    let script = lines.join("\n") + "\n";
    assert!(!log.contains("may open fewer files"), "{log}");
    assert_eq!(script.matches("curl -s").count(), 7, "{log}");

    let ran = output(Command::new("sh").arg("-euc").arg(&script), "");
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{script}: {printed}");
    assert_eq!(
        statuses(&printed),
        ["200", "200", "401", "401"],
        "{printed}"
    );
    assert!(printed.contains("hello alice, by demo"), "{printed}");
    assert!(printed.contains("\"class\":\"subject\""), "{printed}");
    assert!(
        printed.contains("tower_revocation_checks_total"),
        "{printed}"
    );

    // Ctrl-C.
    let folder = log
        .lines()
        .find(|line| line.ends_with("/config.toml"))
        .unwrap();
    assert!(std::path::Path::new(folder).exists());
    sidecar.signal("INT");
    sidecar.end_after_signal();
    assert!(!std::path::Path::new(folder).exists(), "{folder}");
}
