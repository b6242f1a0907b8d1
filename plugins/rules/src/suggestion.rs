//! What was probably meant by a name that is not known.

/// Names longer than this are not compared: nothing that is known is as long.
const MAX_LENGTH: usize = 32;

/// `"; did you mean '..'?"` for a name that is close to one that is known, else which ones there are.
pub(crate) fn suggestion<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    known.dedup();
    if let Some(longer) = known.iter().find(|other| name.len() > 2 && other.starts_with(name)) {
        return format!("; did you mean '{longer}'?");
    }
    let close = known.iter().map(|other| (distance(name, other), other)).min();
    match close {
        Some((distance, other)) if distance <= 1 + other.len() / 4 => format!("; did you mean '{other}'?"),
        _ => format!("; there are '{}'", known.join("', '")),
    }
}

/// How many letters have to be put in, taken out or changed.
fn distance(one: &str, another: &str) -> usize {
    if one.len() > MAX_LENGTH {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=another.len()).collect();
    for (index, letter) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in another.bytes().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[another.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_close_is_suggested_and_else_all_is_told() {
        for (name, expected) in [
            ("lables", "; did you mean 'labels'?"),
            ("lab", "; did you mean 'labels'?"),
            ("abels", "; did you mean 'labels'?"),
            ("jobs", "; did you mean 'job'?"),
            ("instance", "; there are 'job', 'labels'"),
            (&"l".repeat(33), "; there are 'job', 'labels'"),
        ] {
            assert_eq!(suggestion(name, ["labels", "job", "job"].into_iter()), expected, "{name}");
        }
    }
}
