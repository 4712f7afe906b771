//! Permits, memory and decoys, with the clock and the work in hand.
