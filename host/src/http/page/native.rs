//! A native histogram in a line: `{count:3, sum:1, [-0.1,0.1]:1, (0.5,1]:1, (1,2]:1}`.

use pushgate_exposition::{Buckets, Count, NativeHistogram};

use super::number;

/// Buckets of each side that are shown.
const MAX_BUCKETS: usize = 100;

/// The histogram with its buckets in order, without the empty ones.
pub(super) fn line(histogram: &NativeHistogram, sum: f64) -> String {
    let mut parts = vec![format!("count:{}", count(histogram.count)), format!("sum:{}", number::value(sum))];
    let mut negative: Vec<_> = filled(&histogram.negative).collect();
    let hidden = negative.len().saturating_sub(MAX_BUCKETS);
    if hidden > 0 {
        parts.push(format!("… ({} more below)", number::count(hidden)));
    }
    negative.truncate(MAX_BUCKETS);
    for &(index, observations) in negative.iter().rev() {
        let (from, to) = (-bound(histogram.schema, index), -bound(histogram.schema, index - 1));
        parts.push(format!(
            "[{},{}):{}",
            number::value(from),
            number::value(to),
            number::value(observations)
        ));
    }
    if !matches!(histogram.zero_count, Count::Integer(0)) && histogram.zero_count != Count::Float(0.0) {
        let threshold = number::value(histogram.zero_threshold);
        parts.push(format!("[-{threshold},{threshold}]:{}", count(histogram.zero_count)));
    }
    let mut positive = filled(&histogram.positive);
    for (index, observations) in positive.by_ref().take(MAX_BUCKETS) {
        let (from, to) = (bound(histogram.schema, index - 1), bound(histogram.schema, index));
        parts.push(format!(
            "({},{}]:{}",
            number::value(from),
            number::value(to),
            number::value(observations)
        ));
    }
    let hidden = positive.count();
    if hidden > 0 {
        parts.push(format!("… ({} more above)", number::count(hidden)));
    }
    format!("{{{}}}", parts.join(", "))
}

fn count(count: Count) -> String {
    match count {
        Count::Integer(count) => count.to_string(),
        Count::Float(count) => number::value(count),
    }
}

/// The buckets that have observations, with their numbers. How many there are is known by the counts, whatever
/// the spans say.
fn filled(buckets: &Buckets) -> impl Iterator<Item = (i64, f64)> {
    let mut end = 0_i64;
    let indexes = buckets.spans.iter().flat_map(move |span| {
        let start = end + i64::from(span.offset);
        end = start + i64::from(span.length);
        start..end
    });
    let mut total = 0_i64;
    let whole = buckets.deltas.iter().map(move |delta| {
        total = total.saturating_add(*delta);
        total as f64
    });
    let counts = whole.chain(buckets.counts.iter().copied());
    indexes.zip(counts).filter(|(_, observations)| *observations != 0.0)
}

/// The upper bound of a bucket above zero.
fn bound(schema: i32, index: i64) -> f64 {
    let exponent = index as f64 * f64::from(-schema).exp2();
    exponent.exp2()
}

#[cfg(test)]
mod tests {
    use pushgate_exposition::Span;

    use super::*;

    fn buckets(spans: &[(i32, u32)], deltas: &[i64]) -> Buckets {
        let span = |&(offset, length): &(i32, u32)| Span { offset, length };
        Buckets { spans: spans.iter().map(span).collect(), deltas: deltas.into(), counts: Box::default() }
    }

    #[test]
    fn buckets_stand_in_order_with_their_bounds() {
        let histogram = NativeHistogram {
            schema: 0,
            zero_threshold: 0.1,
            zero_count: Count::Integer(1),
            count: Count::Integer(9),
            negative: buckets(&[(0, 1), (1, 1)], &[1, 1]),
            positive: buckets(&[(0, 3)], &[1, -1, 4]),
        };
        assert_eq!(
            line(&histogram, 1.5),
            "{count:9, sum:1.5, [-4,-2):2, [-1,-0.5):1, [-0.1,0.1]:1, (0.5,1]:1, (2,4]:4}"
        );
    }

    #[test]
    fn counts_may_be_fractions_and_buckets_finer() {
        let positive = Buckets {
            spans: [Span { offset: 1, length: 2 }].into(),
            counts: [0.5, 2.0].into(),
            ..Buckets::default()
        };
        let count = Count::Float(2.5);
        let histogram = NativeHistogram { schema: 1, count, positive, ..NativeHistogram::default() };
        let line = line(&histogram, 0.0);
        assert_eq!(line, "{count:2.5, sum:0, (1,1.4142135623730951]:0.5, (1.4142135623730951,2]:2}");
    }

    #[test]
    fn what_spans_and_counts_claim_is_bounded() {
        let spans = [(i32::MAX, u32::MAX), (i32::MAX, u32::MAX), (i32::MIN, u32::MAX)];
        let histogram = NativeHistogram {
            schema: -4,
            positive: buckets(&spans, &vec![i64::MAX; 500]),
            negative: buckets(&spans, &vec![i64::MIN; 500]),
            ..NativeHistogram::default()
        };
        let line = line(&histogram, f64::NAN);
        assert!(line.contains("… (400 more below)") && line.ends_with("… (400 more above)}"), "{line}");
        assert!(line.len() < 20_000, "{}", line.len());
    }
}
