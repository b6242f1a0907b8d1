//! What several rounds said of one thing.

use serde::{Deserialize, Serialize};

/// The median of some measurements, and the least and the greatest of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The one in the middle; of an even number the lower of the two.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of these measurements; all 0 when there is none.
    pub fn of(measured: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measured.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().map_or(0.0, four_digits);
        let last = sorted.len().saturating_sub(1);
        Self { median: at(last / 2), min: at(0), max: at(last) }
    }
}

/// More digits than four are noise, and make every line of the committed results another one.
fn four_digits(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        let spread = |measured: &[f64]| {
            let Spread { median, min, max } = Spread::of(measured.iter().copied());
            [min, median, max]
        };
        assert_eq!(spread(&[3.0, 1.0, 2.0]), [1.0, 2.0, 3.0]);
        assert_eq!(spread(&[4.0, 1.0]), [1.0, 1.0, 4.0]);
        assert_eq!(spread(&[123_456.0]), [123_500.0; 3]);
        assert_eq!(spread(&[]), [0.0; 3]);
    }
}
