//! Medians and the slowest of a hundred.

use std::time::Duration;

#[derive(Default)]
pub(crate) struct Sorted(Vec<Duration>);

impl Sorted {
    pub(crate) fn add(&mut self, took: Duration) {
        let at = self.0.partition_point(|other| *other <= took);
        self.0.insert(at, took);
    }

    /// The median, and the 99th percentile.
    pub(crate) fn both(&self) -> [Duration; 2] {
        [50, 99].map(|percent| self.0[self.0.len() * percent / 100])
    }

    pub(crate) fn header() {
        let [ms, ratio] = ["ms", "ratio"];
        println!("{:<45} {ms:>12} {ms:>9} {ratio:>9} {ratio:>7}", "");
        let [median, slow] = ["p50", "p99"];
        println!("{:<45} {median:>12} {slow:>9} {median:>9} {slow:>7}", "");
    }

    /// Prints both, and both divided by those of another.
    pub(crate) fn print(&self, name: &str, of: [Duration; 2]) {
        let own = self.both();
        let [median, slow] = own.map(|took| took.as_secs_f64() * 1e3);
        let [of_median, of_slow] = [0, 1].map(|i| own[i].as_secs_f64() / of[i].as_secs_f64());
        println!("{name:<45} {median:>12.2} {slow:>9.2} {of_median:>9.2} {of_slow:>7.2}");
    }
}
