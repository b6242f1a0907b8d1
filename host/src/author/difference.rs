//! What is different in two short texts, by lines.

/// More lines than this on both sides are not compared: the work is the product of the two.
const MAX_LINES: usize = 2_000;

/// The lines of both texts in one: `-` in front of those that only the first has, `+` of those that only the second has.
pub(super) fn difference(before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut text = String::new();
    let mut line = |sign: char, content: &str| {
        text.push(sign);
        text.push(' ');
        text.push_str(content);
        text.push('\n');
    };
    let common = if before.len().max(after.len()) > MAX_LINES { Vec::new() } else { common(&before, &after) };
    let (mut left, mut right) = (0, 0);
    for (a, b) in common.into_iter().chain([(before.len(), after.len())]) {
        before[left..a].iter().for_each(|content| line('-', content));
        after[right..b].iter().for_each(|content| line('+', content));
        if let Some(content) = before.get(a) {
            line(' ', content);
        }
        (left, right) = (a + 1, b + 1);
    }
    text
}

/// The longest sequence of lines that both have, as pairs of line numbers.
fn common(before: &[&str], after: &[&str]) -> Vec<(usize, usize)> {
    // How long it is behind each pair of lines.
    let mut lengths = vec![vec![0_u16; after.len() + 1]; before.len() + 1];
    for (a, line) in before.iter().enumerate().rev() {
        for (b, other) in after.iter().enumerate().rev() {
            lengths[a][b] = if line == other {
                lengths[a + 1][b + 1] + 1
            } else {
                lengths[a + 1][b].max(lengths[a][b + 1])
            };
        }
    }
    let (mut a, mut b, mut pairs) = (0, 0, Vec::new());
    while a < before.len() && b < after.len() {
        if before[a] == after[b] {
            pairs.push((a, b));
            (a, b) = (a + 1, b + 1);
        } else if lengths[a + 1][b] >= lengths[a][b + 1] {
            a += 1;
        } else {
            b += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_differ_are_marked() {
        for (before, after, expected) in [
            ("", "", ""),
            ("a\n", "a\n", "  a\n"),
            ("a\n", "", "- a\n"),
            ("", "a\n", "+ a\n"),
            ("reject\na\nb\nc\n", "reject\nb\nx\n", "  reject\n- a\n  b\n- c\n+ x\n"),
            ("accept\n", "reject\na\n", "- accept\n+ reject\n+ a\n"),
        ] {
            assert_eq!(difference(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn long_texts_are_told_apart_as_a_whole() {
        let at = "a\n".repeat(MAX_LINES);
        assert_eq!(difference(&at, &at), "  a\n".repeat(MAX_LINES));
        let past = "a\n".repeat(MAX_LINES + 1);
        let told = difference(&past, "a\n");
        assert_eq!(told, "- a\n".repeat(MAX_LINES + 1) + "+ a\n");
    }
}
