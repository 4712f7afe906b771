//! Instructions counted by callgrind: what the layer adds to a request that passes, the cost of a
//! revocation through the layer and through handlers written by hand, and the cost of an enforced
//! request whose token was seen before.
//!
//! Requires valgrind and the runner:
//!
//! ```sh
//! cargo install gungraun-runner --version 0.20.0 --locked
//! cargo bench --bench instructions
//! ```
//!
//! The counted part does not include building requests, warming up services and checking responses.
//! It includes allocations and drops of the services.

mod by_hand;
mod counted;
mod enforced;
mod handler;
mod layered;
mod request;
mod rules;
mod server;

use counted::{enforced_request, passing_request, whole_revocation};

gungraun::main!(
    library_benchmark_groups = passing_request,
    whole_revocation,
    enforced_request
);
