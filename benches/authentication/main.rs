//! What does it cost to know a client, by each method; and does the time tell who is registered?
//!
//! ```sh
//! cargo bench --bench authentication
//! ```
//!
//! Costs are medians of rounds in which everything that is compared has its turn, so that another
//! busy process disturbs all of it alike.

mod costs;
mod timing;
mod world;

fn main() {
    let world = world::World::new();
    costs::report(&world);
    timing::report(&world);
}
