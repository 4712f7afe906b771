//! By the clock.
