//! What the process may do, and what others may read of it.

/// Files of this process are for its user only, and a crash leaves no copy of its memory.
#[cfg(target_os = "linux")]
pub(crate) fn harden() {
    use rustix::{
        fs::Mode,
        process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask},
    };

    umask(Mode::from_raw_mode(0o077));
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Both only lower what is allowed, so they do not fail.
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn harden() {}

/// Raises the limit of open files as far as the system allows. Returns it, or `None` without a limit.
#[cfg(target_os = "linux")]
pub(crate) fn raise_open_files() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => current,
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn raise_open_files() -> Option<u64> {
    None
}

/// Fails if this user must not change the file, or make files in the folder.
#[cfg(target_os = "linux")]
pub(crate) fn may_write(path: &std::path::Path) -> std::io::Result<()> {
    use rustix::fs::{Access, access};

    let execute = if path.is_dir() {
        Access::EXEC_OK
    } else {
        Access::empty()
    };
    Ok(access(path, Access::WRITE_OK | execute)?)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn may_write(_: &std::path::Path) -> std::io::Result<()> {
    Ok(())
}

/// The user of the process.
#[cfg(target_os = "linux")]
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether the process has the rights of root.
#[cfg(target_os = "linux")]
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_root() -> bool {
    false
}
