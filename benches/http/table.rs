//! The table of results.

use crate::rounds::Cost;

/// Prints medians of the rounds, and ratios to other rows of the table. Each ratio is that of two
/// servers in the same round.
pub(crate) fn print<const ROUNDS: usize>(
    names: &[&str],
    costs: &[[Cost; ROUNDS]],
    references: &[(&str, usize)],
) {
    print!("{:<28}{:>10}", "", "CPU µs");
    for (title, _) in references {
        print!("{title:>22}");
    }
    println!("{:>8}", "busy");
    for (name, rounds) in names.iter().zip(costs) {
        let micros = rounds.map(micros);
        print!("{name:<28}{:>10.2}", median(micros));
        for (_, reference) in references {
            let reference = costs[*reference].map(self::micros);
            let mut ratios = micros;
            for (ratio, reference) in ratios.iter_mut().zip(reference) {
                *ratio /= reference;
            }
            let [least, most] = [f64::min, f64::max].map(|of| ratios.into_iter().reduce(of));
            let [least, most] = [least, most].map(Option::unwrap_or_default);
            let range = format!("({least:.2} to {most:.2})");
            print!("{:>7.2} {range:<14}", median(ratios));
        }
        let busy = rounds.map(|cost| cost.cpu.as_secs_f64() / cost.elapsed.as_secs_f64());
        println!("{:>6.0} %", 100.0 * median(busy));
    }
}

fn micros(cost: Cost) -> f64 {
    1e6 * cost.cpu.as_secs_f64() / f64::from(cost.requests)
}

fn median<const ROUNDS: usize>(mut values: [f64; ROUNDS]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[ROUNDS / 2]
}
