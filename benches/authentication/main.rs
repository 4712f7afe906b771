//! The cost of each authentication method, and whether the time reveals which clients are registered.
//!
//! ```sh
//! cargo bench --bench authentication
//! ```
//!
//! Costs are medians. Each round runs everything that is compared, so that another busy process
//! affects all of it equally.

mod costs;
mod timing;
mod world;

fn main() {
    let world = world::World::new();
    costs::report(&world);
    timing::report(&world);
}
