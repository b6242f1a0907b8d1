//! The buckets of a native histogram, with their bounds as the original computes and prints them.
//! <https://prometheus.io/docs/specs/native_histograms/>
#![expect(clippy::approx_constant, reason = "the last digit of the root of 2 is another one here")]

use pushgate_exposition::{Buckets, Count, NativeHistogram};

/// A bucket that has observations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    pub(super) bounds: Bounds,
    pub(super) lower: f64,
    pub(super) upper: f64,
    pub(super) count: f64,
}

/// Which of its bounds belong to a bucket, by the numbers of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bounds {
    /// The upper one: `(a,b]`.
    Upper = 0,
    /// The lower one: `[a,b)`.
    Lower = 1,
    /// Both: `[a,b]`.
    Both = 3,
}

/// From the bounds of one bucket to those of the next, by schema. Clients multiply by these to the last digit as well,
/// some of which are not what `2^(2^-schema)` is rounded to.
const FACTORS: [f64; 9] = [
    2.0,
    1.414213562373095,
    1.189207115002721,
    1.0905077326652577,
    1.0442737824274138,
    1.0218971486541166,
    1.0108892860517005,
    1.0054299011128027,
    1.0027112750502025,
];

/// More buckets than a histogram of any client has; the API leaves out the rest, as numbers in spans are not bounded.
const MAX_BUCKETS: usize = 100_000;

/// The buckets that are not empty, from the lowest to the highest; none of a schema that there is not.
pub(super) fn buckets(histogram: &NativeHistogram) -> Vec<Bucket> {
    let Some(ends) = Ends::new(histogram.schema) else { return Vec::new() };
    let mut buckets: Vec<_> = filled(&histogram.negative)
        .map(|(index, count)| Bucket {
            bounds: Bounds::Lower,
            lower: -ends.of(index),
            upper: -ends.of(index - 1),
            count,
        })
        .collect();
    buckets.reverse();
    let threshold = histogram.zero_threshold;
    let zero = match histogram.zero_count {
        Count::Integer(count) => count as f64,
        Count::Float(count) => count,
    };
    if zero != 0.0 {
        buckets.push(Bucket { bounds: Bounds::Both, lower: -threshold, upper: threshold, count: zero });
    }
    buckets.extend(filled(&histogram.positive).map(|(index, count)| Bucket {
        bounds: Bounds::Upper,
        lower: ends.of(index - 1),
        upper: ends.of(index),
        count,
    }));
    buckets
}

/// The number and the count of each bucket that is not empty.
fn filled(buckets: &Buckets) -> impl Iterator<Item = (i64, f64)> {
    let mut next = 0_i64;
    let numbers = buckets.spans.iter().flat_map(move |span| {
        let first = next.saturating_add(span.offset.into());
        next = first.saturating_add(span.length.into());
        first..next
    });
    let integers = buckets.deltas.iter().scan(0_i64, |count, delta| {
        *count = count.saturating_add(*delta);
        Some(*count as f64)
    });
    let counts = integers.chain(buckets.counts.iter().copied());
    numbers.zip(counts).take(MAX_BUCKETS).filter(|(_, count)| *count != 0.0)
}

/// Where the buckets of a schema end.
struct Ends {
    schema: i32,
    /// The ends within `[0.5, 1)`; whatever is beyond is a power of two times one of these.
    fractions: Vec<f64>,
}

impl Ends {
    fn new(schema: i32) -> Option<Self> {
        if !(-4..=8).contains(&schema) {
            return None;
        }
        // Every second end is that of the schema below.
        let mut fractions = vec![0.5];
        for factor in FACTORS.into_iter().take(usize::try_from(schema).map_or(0, |schema| schema + 1)).skip(1)
        {
            fractions = fractions.into_iter().flat_map(|end| [end, end * factor]).collect();
        }
        Some(Self { schema, fractions })
    }

    /// The end of a bucket above zero. Bucket 0 ends at 1.
    fn of(&self, index: i64) -> f64 {
        let (fraction, exponent) = if self.schema < 0 {
            (0.5, index.saturating_mul(1 << -self.schema).saturating_add(1))
        } else {
            let at = index & ((1 << self.schema) - 1);
            let fraction = usize::try_from(at).ok().and_then(|at| self.fractions.get(at));
            (fraction.copied().unwrap_or(0.5), (index >> self.schema) + 1)
        };
        // What lies beyond all numbers ends at the largest one.
        if fraction == 0.5 && exponent == 1025 { f64::MAX } else { times_power_of_two(fraction, exponent) }
    }
}

/// `fraction · 2^exponent`, exact also where `2^exponent` is no number.
fn times_power_of_two(fraction: f64, exponent: i64) -> f64 {
    let exponent = exponent.clamp(-2_100, 2_100) as i32;
    let half = exponent / 2;
    fraction * 2_f64.powi(half) * 2_f64.powi(exponent - half)
}

#[cfg(test)]
mod tests {
    use pushgate_exposition::Span;

    use super::*;

    fn side(spans: &[(i32, u32)], deltas: &[i64]) -> Buckets {
        let spans = spans.iter().map(|&(offset, length)| Span { offset, length }).collect();
        Buckets { spans, deltas: deltas.into(), counts: Box::default() }
    }

    #[test]
    fn buckets_stand_in_order_and_empty_ones_are_left_out() {
        let histogram = NativeHistogram {
            schema: 1,
            zero_threshold: 0.001,
            zero_count: Count::Integer(2),
            count: Count::Integer(12),
            negative: side(&[(0, 2), (1, 2)], &[1, 1, -1, 0]),
            positive: side(&[(0, 2), (1, 2)], &[1, 1, -1, 0]),
        };
        let shown: Vec<_> = (buckets(&histogram).into_iter())
            .map(|bucket| (bucket.bounds as u8, bucket.lower, bucket.upper, bucket.count))
            .collect();
        let expected = [
            (1, -4.0, -2.82842712474619, 1.0),
            (1, -2.82842712474619, -2.0, 1.0),
            (1, -1.414213562373095, -1.0, 2.0),
            (1, -1.0, -0.7071067811865475, 1.0),
            (3, -0.001, 0.001, 2.0),
            (0, 0.7071067811865475, 1.0, 1.0),
            (0, 1.0, 1.414213562373095, 2.0),
            (0, 2.0, 2.82842712474619, 1.0),
            (0, 2.82842712474619, 4.0, 1.0),
        ];
        assert_eq!(shown, expected);
        let empty = NativeHistogram { positive: side(&[(3, 3)], &[0, 0, 0]), ..NativeHistogram::default() };
        assert_eq!(buckets(&empty), []);
    }

    /// Some of what the original answered, for every schema: an index and where its bucket ends.
    #[test]
    fn ends_are_those_of_the_original() {
        for (schema, index, expected) in [
            (-4, 0, 1.0),
            (-4, 1, 65536.0),
            (-3, 0, 1.0),
            (-3, 1, 256.0),
            (-2, 0, 1.0),
            (-2, 1, 16.0),
            (-1, 0, 1.0),
            (-1, 1, 4.0),
            (0, 1, 2.0),
            (0, 2, 4.0),
            (1, 0, 1.0),
            (1, 1, 1.414213562373095),
            (1, 2, 2.0),
            (1, 3, 2.82842712474619),
            (2, 0, 1.0),
            (2, 1, 1.189207115002721),
            (2, 2, 1.414213562373095),
            (2, 4, 2.0),
            (2, 5, 2.378414230005442),
            (3, 0, 1.0),
            (3, 1, 1.0905077326652577),
            (3, 2, 1.189207115002721),
            (3, 3, 1.2968395546510096),
            (3, 4, 1.414213562373095),
            (3, 8, 2.0),
            (4, 0, 1.0),
            (4, 1, 1.0442737824274138),
            (4, 2, 1.0905077326652577),
            (4, 6, 1.2968395546510096),
            (4, 8, 1.414213562373095),
            (4, 16, 2.0),
            (5, 0, 1.0),
            (5, 1, 1.0218971486541166),
            (5, 2, 1.0442737824274138),
            (5, 11, 1.2690509571917332),
            (5, 16, 1.414213562373095),
            (5, 32, 2.0),
            (6, 0, 1.0),
            (6, 1, 1.0108892860517005),
            (6, 2, 1.0218971486541166),
            (6, 22, 1.2690509571917332),
            (6, 32, 1.414213562373095),
            (6, 64, 2.0),
            (7, 0, 1.0),
            (7, 1, 1.0054299011128027),
            (7, 2, 1.0108892860517005),
            (7, 43, 1.2621973503942505),
            (7, 64, 1.414213562373095),
            (7, 128, 2.0),
            (8, 0, 1.0),
            (8, 1, 1.0027112750502025),
            (8, 2, 1.0054299011128027),
            (8, 86, 1.2621973503942505),
            (8, 128, 1.414213562373095),
            (8, 256, 2.0),
        ] {
            assert_eq!(Ends::new(schema).unwrap().of(index), expected, "{schema} {index}");
        }
    }

    #[test]
    fn nonsense_is_bounded() {
        for schema in [-53, -5, 9, i32::MIN, i32::MAX] {
            assert!(buckets(&NativeHistogram { schema, ..NativeHistogram::default() }).is_empty());
        }
        let long = side(&[(i32::MAX, u32::MAX), (i32::MAX, u32::MAX)], &[i64::MAX, i64::MAX]);
        for schema in [-4, 0, 8] {
            let histogram = NativeHistogram { schema, positive: long.clone(), ..NativeHistogram::default() };
            assert_eq!(buckets(&histogram).len(), 2);
        }
        // Spans without counts, and counts without spans.
        let none = NativeHistogram { positive: side(&[(0, 9)], &[]), ..NativeHistogram::default() };
        assert!(buckets(&none).is_empty());
        let none = NativeHistogram { positive: side(&[], &[1]), ..NativeHistogram::default() };
        assert!(buckets(&none).is_empty());
    }
}
