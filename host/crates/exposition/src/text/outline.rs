//! What stays of a body when it is pushed again with other numbers.

use memchr::memchr_iter;

use crate::cursor::is_blank;
use crate::text::number;
use crate::{Kind, Push};

/// A body in two parts: its text without the numbers of its samples, and these numbers.
///
/// Bodies of one outline are read alike but for the numbers: no line begins or ends within another, and the last word of a
/// sample's line is its value. There are two exceptions. The last word may be a timestamp, to which there is an
/// [objection](crate::Push::objection). And counts that are negative are refused, those of summaries are cut.
pub struct Outline {
    text: Vec<u8>,
    numbers: Vec<f64>,
    /// Where in the text each of them stood.
    places: Vec<usize>,
}

/// Stands for a number. It is never the last byte of a sample's line otherwise, since the last word of that is a number.
const NUMBER: u8 = 0;

impl Outline {
    /// The outline of a body; none if a line does not end in a number, or has blanks behind it.
    pub fn of(body: &[u8]) -> Option<Self> {
        let mut outline =
            Self { text: Vec::with_capacity(body.len()), numbers: Vec::new(), places: Vec::new() };
        let mut start = 0;
        for end in memchr_iter(b'\n', body) {
            outline.take(body.get(start..end)?)?;
            start = end + 1;
        }
        (start == body.len()).then_some(outline)
    }

    /// Takes in a line without its line feed.
    #[inline]
    fn take(&mut self, line: &[u8]) -> Option<()> {
        if is_sample(line) {
            let number = line.iter().rposition(|&byte| is_blank(byte))? + 1;
            let (label, number) = line.split_at_checked(number)?;
            self.numbers.push(number::read(number)?);
            self.text.extend_from_slice(label);
            self.places.push(self.text.len());
            self.text.extend_from_slice(&[NUMBER, b'\n']);
        } else {
            self.text.extend_from_slice(line);
            self.text.push(b'\n');
        }
        Some(())
    }

    /// The body with something that is never in it in the place of each number. Bodies that differ in more than their numbers
    /// have different ones.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The numbers, in the order of their lines.
    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    /// The body with each number replaced by its place: the first by 1. What becomes of a number shows in what becomes of this
    /// body, and [`Push::with_numbers`](crate::Push::with_numbers) has the push that the body itself is.
    pub fn numbered(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.text.len() + 4 * self.numbers.len());
        let (mut buffer, mut done) = (itoa::Buffer::new(), 0);
        for (count, place) in (1usize..).zip(&self.places) {
            body.extend_from_slice(self.text.get(done..*place).unwrap_or_default());
            // Written as any number; it is read as the same one.
            body.extend_from_slice(buffer.format(count).as_bytes());
            done = place + 1;
        }
        body.extend_from_slice(self.text.get(done..).unwrap_or_default());
        body
    }
}

impl Push {
    /// The push with these numbers instead of its own, each of which is the place of one of them, from 1; 0 stays. Nothing if
    /// one of them is not used, or is a count that is not a whole number: a parser may have refused or cut it. Nor if there is an
    /// objection: the number may be a timestamp.
    ///
    /// See [`Outline::numbered`].
    pub fn with_numbers(&self, numbers: &[f64]) -> Option<Self> {
        if self.objection.is_some() {
            return None;
        }
        let mut used = 0;
        let mut number = |place: &mut f64, is_count: bool| {
            if *place != 0.0 {
                *place = *numbers.get((*place as usize).checked_sub(1)?)?;
                used += 1;
            }
            (!is_count || is_whole(*place)).then_some(())
        };
        let mut push = self.clone();
        let mut row = 0;
        for (kind, &end) in push.families.kind.iter().zip(&push.families.series_end) {
            let series = &mut push.series;
            let (kind, rows) = (Kind::from_u8(*kind), row..end as usize);
            row = end as usize;
            series.value.get_mut(rows.clone())?.iter_mut().try_for_each(|sum| number(sum, false))?;
            if kind.is_simple() {
                continue;
            }
            series.count.get_mut(rows.clone())?.iter_mut().try_for_each(|count| number(count, true))?;
            let points = rows.start.checked_sub(1).map_or(0, |before| series.point_end[before]) as usize;
            let points = points..rows.end.checked_sub(1).map_or(0, |last| series.point_end[last]) as usize;
            let is_bucket = kind != Kind::Summary;
            series.point_value.get_mut(points)?.iter_mut().try_for_each(|value| number(value, is_bucket))?;
        }
        (used == numbers.len()).then_some(push)
    }
}

/// Whether a count is one that every format takes as it is.
pub fn is_whole(count: f64) -> bool {
    const MAX: f64 = (1u64 << 53) as f64;
    count.fract() == 0.0 && (0.0..MAX).contains(&count)
}

/// Whether a line is neither blank nor a comment.
#[inline]
fn is_sample(line: &[u8]) -> bool {
    line.iter().find(|&&byte| !is_blank(byte)).is_some_and(|&byte| byte != b'#')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{GroupingKey, Manners, Rules, text};

    fn parse(body: &[u8]) -> Result<Push, text::ParseError> {
        let key = GroupingKey::new([("job", "j")]).unwrap();
        text::parse(body, &key, &Rules { manners: Manners::Strict, ..Rules::default() })
    }

    #[test]
    fn numbers_are_the_last_words_of_samples() {
        for (body, outline, numbers) in [
            ("a 1\n", "a \0\n", &[1.0][..]),
            ("a{b=\"c d 5\"}\t-2.5e3\n", "a{b=\"c d 5\"}\t\0\n", &[-2500.0]),
            (
                "# HELP a 1\n\n  # x\n \na 1\nb +Inf\n",
                "# HELP a 1\n\n  # x\n \na \0\nb \0\n",
                &[1.0, f64::INFINITY],
            ),
            ("# 1 \0\na 0\n", "# 1 \0\na \0\n", &[0.0]),
            ("", "", &[]),
        ] {
            let found = Outline::of(body.as_bytes()).unwrap();
            assert_eq!((found.text(), found.numbers()), (outline.as_bytes(), numbers), "{body:?}");
        }
        for none in
            ["a 1", "a 1 \n", "a 1\r\n", "a{b=\"c\"}1\n", "a\n", "a x\n", "a 1e999\n", "a \0\n", "a 1\n\nb"]
        {
            assert!(Outline::of(none.as_bytes()).is_none(), "{none:?}");
        }
    }

    #[test]
    fn each_number_is_replaced_by_its_place() {
        let body = "# HELP a x 7\n# \0\na{b=\"1\"} 7\nb 8\n";
        let numbered = Outline::of(body.as_bytes()).unwrap().numbered();
        assert_eq!(String::from_utf8(numbered).unwrap(), "# HELP a x 7\n# \0\na{b=\"1\"} 1\nb 2\n");
    }

    #[test]
    fn a_push_that_is_known_by_places_takes_numbers_that_stay_what_they_are() {
        for (body, is_taken) in [
            ("a -1.5\nb NaN\n# TYPE h histogram\nh_sum -1\nh_count 2\nh_bucket{le=\"1\"} 1\n", true),
            ("# TYPE s summary\ns{quantile=\"0.5\"} -1.5\ns_sum NaN\ns_count 9\n", true),
            ("# TYPE s summary\ns_count 1.5\n", false),
            ("# TYPE h histogram\nh_count -1\n", false),
            ("# TYPE h histogram\nh_bucket{le=\"1\"} +Inf\n", false),
            ("# TYPE h histogram\nh_count 1\nh_count 2\n", false),
            ("# TYPE h histogram\nh_bucket{le=\"NaN\"} 1\n", false),
            ("a 1 5\n", false),
            ("a 1 5.5\n", false),
            ("a{__x=\"1\"} 1\n", false),
        ] {
            let outline = Outline::of(body.as_bytes()).unwrap();
            let push = parse(&outline.numbered()).unwrap().with_numbers(outline.numbers());
            assert_eq!(push.is_some(), is_taken, "{body}");
            assert!(push.is_none_or(|push| parse(body.as_bytes()).unwrap() == push), "{body}");
        }
    }

    proptest! {
        /// Lines that are samples or nearly so, and mostly legal.
        #[test]
        fn bodies_of_one_outline_are_read_alike(
            lines in prop::collection::vec(r##"(a|b_sum|[{]"x"[}]|# TYPE a|# TYPE b|#|)([{](b="[ a1#\\n"]{0,3}",?){0,2}[}])?[ \t]{0,2}(1|2|1.5|-1|1 2|1 -2.5|gauge|summary|histogram)?"##, 0..6),
            other in prop::collection::vec(0..9u32, 6),
        ) {
            let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let Some(outline) = Outline::of(body.as_bytes()) else { return Ok(()) };
            // Another body of the same outline: not built by `numbered`, so that it is tried, too.
            let mut numbers = other.iter().map(u32::to_string);
            let text = String::from_utf8_lossy(outline.text());
            let lines = text.split_inclusive('\n').map(|line| match line.strip_suffix("\0\n") {
                Some(label) if !label.trim_start().starts_with('#') => format!("{label}{}\n", numbers.next().unwrap()),
                _ => line.to_owned(),
            });
            let again: String = lines.collect();
            let numbered = parse(&outline.numbered());
            for body in [body.as_bytes(), again.as_bytes()] {
                let other = Outline::of(body).unwrap();
                prop_assert_eq!(&other.text, &outline.text);
                if let Ok(numbered) = &numbered
                    && let Some(filled) = numbered.with_numbers(other.numbers())
                {
                    prop_assert_eq!(Ok(filled), parse(body));
                }
            }
        }
    }
}
