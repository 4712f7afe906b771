//! Instructions, counted by callgrind: what the layer adds to a request that passes, and what a
//! revocation costs through the layer and by hand.
//!
//! Needs valgrind and the runner:
//!
//! ```sh
//! cargo install gungraun-runner --version 0.20.0 --locked
//! cargo bench --bench instructions
//! ```
//!
//! Requests are built and services are warmed up before anything is counted, and answers are looked
//! at afterwards. What a service allocates or drops on its way is counted.

mod counted;
mod handler;
mod layered;
mod server;

use counted::{passing_request, whole_revocation};

gungraun::main!(library_benchmark_groups = passing_request, whole_revocation);
