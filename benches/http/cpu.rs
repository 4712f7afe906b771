//! The CPU that a process runs on, and the CPU time that it has used.

use std::{sync::OnceLock, time::Duration};

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::clock_getcpuclockid,
    unistd::Pid,
};

/// Keeps this thread, and the processes that it starts, on the first CPU.
pub(crate) fn pin_to_first() {
    pin(allowed().first());
}

/// Keeps this thread on the last CPU.
pub(crate) fn pin_to_last() {
    pin(allowed().last());
}

fn pin(cpu: Option<&usize>) {
    let mut set = CpuSet::new();
    set.set(*cpu.expect("at least one"))
        .expect("its number is in range");
    sched_setaffinity(THIS_THREAD, &set).expect("a CPU that this process may use");
}

/// The CPUs that this process may use. That of the first thread changes with its pin, so it is
/// read once.
fn allowed() -> &'static [usize] {
    static ALLOWED: OnceLock<Vec<usize>> = OnceLock::new();
    ALLOWED.get_or_init(|| {
        let set = sched_getaffinity(THIS_THREAD).expect("this thread runs");
        (0..CpuSet::count())
            .filter(|cpu| set.is_set(*cpu) == Ok(true))
            .collect()
    })
}

const THIS_THREAD: Pid = Pid::from_raw(0);

/// User and system time of all threads of a process, to the nanosecond.
pub(crate) fn time(process: u32) -> Option<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(process.try_into().ok()?)).ok()?;
    Some(clock.now().ok()?.into())
}
