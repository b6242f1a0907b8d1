//! The kinds of value a key can have: how one is read, what it may be, and how both are told.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::duration;
use super::size::ByteSize;

/// A value that is not what its key allows.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Byte offset in the file: the culprit may be one element of a list.
    pub(super) at: usize,
    pub(super) message: String,
}

/// Reads one kind of value.
pub(super) trait Kind {
    type Value;

    fn read(&self, value: &Spanned<DeValue<'_>>) -> Result<Self::Value, Refusal>;
}

/// A whole number within bounds.
pub(super) fn whole<T>(bounds: RangeInclusive<T>) -> impl Kind<Value = T>
where
    T: TryFrom<i64> + PartialOrd + Display,
{
    Whole(bounds)
}

/// A part of the whole: a number from 0 to 1.
pub(super) fn fraction() -> impl Kind<Value = f64> {
    Fraction
}

/// `true` or `false`.
pub(super) fn boolean() -> impl Kind<Value = bool> {
    Boolean
}

/// A duration within bounds.
pub(super) fn duration(bounds: RangeInclusive<Duration>) -> impl Kind<Value = Duration> {
    text("a duration such as \"5s\"", move |text| {
        let value = duration::parse(text)?;
        let (least, most) = (duration::show(*bounds.start()), duration::show(*bounds.end()));
        within(&bounds, value, || format!("{text} is out of bounds; allowed: {least} to {most}"))
    })
}

/// A size within bounds.
pub(super) fn size(bounds: RangeInclusive<ByteSize>) -> impl Kind<Value = ByteSize> {
    text("a size such as \"16MiB\"", move |text| {
        let value: ByteSize = text.parse()?;
        let (least, most) = (bounds.start(), bounds.end());
        within(&bounds, value, || format!("{text} is out of bounds; allowed: {least} to {most}"))
    })
}

/// A string that `parse` makes a value of; `example` says what one looks like.
pub(super) fn text<T>(
    example: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> impl Kind<Value = T> {
    Text { example, parse }
}

/// A list with at least one element and no two that are equal.
pub(super) fn list<K: Kind<Value: PartialEq>>(element: K) -> impl Kind<Value = Vec<K::Value>> {
    List { element, least: 1, most: usize::MAX }
}

/// A list, which may be empty, with no two elements that are equal.
pub(super) fn any_list<K: Kind<Value: PartialEq>>(element: K) -> impl Kind<Value = Vec<K::Value>> {
    List { element, least: 0, most: usize::MAX }
}

/// The same with a bound.
pub(super) fn short_list<K: Kind<Value: PartialEq>>(
    most: usize,
    element: K,
) -> impl Kind<Value = Vec<K::Value>> {
    List { element, least: 0, most }
}

struct Whole<T>(RangeInclusive<T>);

impl<T: TryFrom<i64> + PartialOrd + Display> Kind for Whole<T> {
    type Value = T;

    fn read(&self, value: &Spanned<DeValue<'_>>) -> Result<T, Refusal> {
        let allowed = format!("allowed: {} to {}", self.0.start(), self.0.end());
        let DeValue::Integer(number) = value.get_ref() else {
            return Err(wrong_type(value, "a whole number", &allowed));
        };
        i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| self.0.contains(number))
            .ok_or_else(|| refuse(value, format!("{number} is out of bounds; {allowed}")))
    }
}

struct Fraction;

impl Kind for Fraction {
    type Value = f64;

    fn read(&self, value: &Spanned<DeValue<'_>>) -> Result<f64, Refusal> {
        let number = match value.get_ref() {
            DeValue::Integer(number) => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => return Err(wrong_type(value, "a number", "allowed: 0 to 1")),
        };
        let fraction = number.parse().ok().filter(|fraction| (0.0..=1.0).contains(fraction));
        fraction.ok_or_else(|| refuse(value, format!("{number} is out of bounds; allowed: 0 to 1")))
    }
}

struct Boolean;

impl Kind for Boolean {
    type Value = bool;

    fn read(&self, value: &Spanned<DeValue<'_>>) -> Result<bool, Refusal> {
        match value.get_ref() {
            DeValue::Boolean(boolean) => Ok(*boolean),
            _ => Err(wrong_type(value, "a boolean", "write true or false")),
        }
    }
}

struct Text<F> {
    /// What a value looks like, for those who wrote something else than a string.
    example: &'static str,
    parse: F,
}

impl<T, F: Fn(&str) -> Result<T, String>> Kind for Text<F> {
    type Value = T;

    fn read(&self, value: &Spanned<DeValue<'_>>) -> Result<T, Refusal> {
        let DeValue::String(text) = value.get_ref() else {
            return Err(wrong_type(value, "a string", &format!("write {}", self.example)));
        };
        (self.parse)(text).map_err(|message| refuse(value, message))
    }
}

struct List<K> {
    element: K,
    least: usize,
    most: usize,
}

impl<K: Kind<Value: PartialEq>> Kind for List<K> {
    type Value = Vec<K::Value>;

    fn read(&self, value: &Spanned<DeValue<'_>>) -> Result<Self::Value, Refusal> {
        let DeValue::Array(elements) = value.get_ref() else {
            return Err(wrong_type(value, "a list", "write it in square brackets"));
        };
        if elements.len() > self.most {
            let (length, most) = (elements.len(), self.most);
            return Err(refuse(value, format!("the list has {length} elements; allowed: up to {most}")));
        }
        let mut list = Vec::new();
        for element in elements.iter() {
            let read = self.element.read(element)?;
            if list.contains(&read) {
                return Err(refuse(element, "stands in the list twice".to_owned()));
            }
            list.push(read);
        }
        if list.len() < self.least {
            return Err(refuse(value, "the list is empty; at least one element is needed".to_owned()));
        }
        Ok(list)
    }
}

fn within<T: PartialOrd>(
    bounds: &RangeInclusive<T>,
    value: T,
    refused: impl Fn() -> String,
) -> Result<T, String> {
    if bounds.contains(&value) { Ok(value) } else { Err(refused()) }
}

fn refuse(value: &Spanned<DeValue<'_>>, message: String) -> Refusal {
    Refusal { at: value.span().start, message }
}

pub(super) fn wrong_type(value: &Spanned<DeValue<'_>>, expected: &str, allowed: &str) -> Refusal {
    refuse(value, format!("expected {expected}, found {}; {allowed}", type_name(value.get_ref())))
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: PartialEq + std::fmt::Debug>(
        kind: &impl Kind<Value = T>,
        toml: &str,
        expected: Result<T, &str>,
    ) {
        let value = DeValue::parse(toml).unwrap();
        let read = kind.read(&value).map_err(|refusal| refusal.message);
        assert_eq!(read, expected.map_err(str::to_owned), "{toml}");
    }

    #[test]
    fn whole_numbers_keep_their_bounds() {
        let kind = whole(1u32..=10);
        check(&kind, "1", Ok(1));
        check(&kind, "10", Ok(10));
        check(&kind, "0x0a", Ok(10));
        check(&kind, "0", Err("0 is out of bounds; allowed: 1 to 10"));
        check(&kind, "11", Err("11 is out of bounds; allowed: 1 to 10"));
        check(&kind, "-1", Err("-1 is out of bounds; allowed: 1 to 10"));
        check(&kind, "99999999999999999999", Err("99999999999999999999 is out of bounds; allowed: 1 to 10"));
        check(&kind, "\"1\"", Err("expected a whole number, found a string; allowed: 1 to 10"));
        check(&kind, "1.0", Err("expected a whole number, found a number with a fraction; allowed: 1 to 10"));
    }

    #[test]
    fn fractions_are_from_0_to_1() {
        for (toml, expected) in [("0", 0.0), ("1", 1.0), ("0.25", 0.25), ("1e-3", 0.001)] {
            check(&fraction(), toml, Ok(expected));
        }
        check(&fraction(), "-0.1", Err("-0.1 is out of bounds; allowed: 0 to 1"));
        check(&fraction(), "1.01", Err("1.01 is out of bounds; allowed: 0 to 1"));
        check(&fraction(), "nan", Err("nan is out of bounds; allowed: 0 to 1"));
        check(&fraction(), "\"1\"", Err("expected a number, found a string; allowed: 0 to 1"));
    }

    #[test]
    fn booleans_are_true_or_false() {
        check(&boolean(), "true", Ok(true));
        check(&boolean(), "false", Ok(false));
        check(&boolean(), "1", Err("expected a boolean, found a whole number; write true or false"));
        check(&boolean(), "\"true\"", Err("expected a boolean, found a string; write true or false"));
    }

    #[test]
    fn durations_keep_their_bounds() {
        let kind = duration(Duration::from_millis(10)..=Duration::from_secs(60));
        check(&kind, "\"10ms\"", Ok(Duration::from_millis(10)));
        check(&kind, "\"1m\"", Ok(Duration::from_secs(60)));
        check(&kind, "\"9ms\"", Err("9ms is out of bounds; allowed: 10ms to 1m"));
        check(&kind, "\"61s\"", Err("61s is out of bounds; allowed: 10ms to 1m"));
        check(&kind, "5", Err("expected a string, found a whole number; write a duration such as \"5s\""));
    }

    #[test]
    fn sizes_keep_their_bounds() {
        let kind = size(ByteSize::kib(1)..=ByteSize::mib(1));
        check(&kind, "\"1KiB\"", Ok(ByteSize::kib(1)));
        check(&kind, "\"1MiB\"", Ok(ByteSize::mib(1)));
        check(&kind, "\"1023B\"", Err("1023B is out of bounds; allowed: 1KiB to 1MiB"));
        check(&kind, "\"1025KiB\"", Err("1025KiB is out of bounds; allowed: 1KiB to 1MiB"));
    }

    #[test]
    fn lists_have_elements_and_no_two_alike() {
        let kind = list(whole(1u32..=10));
        check(&kind, "[1, 2]", Ok(vec![1, 2]));
        check(&kind, "[]", Err("the list is empty; at least one element is needed"));
        check(&kind, "[1, 1]", Err("stands in the list twice"));
        check(&kind, "[1, 11]", Err("11 is out of bounds; allowed: 1 to 10"));
        check(&kind, "1", Err("expected a list, found a whole number; write it in square brackets"));
        check(&any_list(whole(1u32..=10)), "[]", Ok(vec![]));
        check(&any_list(whole(1u32..=10)), "[1, 1]", Err("stands in the list twice"));
        let refusal = kind.read(&DeValue::parse("[1, 2, 11]").unwrap()).unwrap_err();
        assert_eq!(refusal.at, 7, "the culprit is the element");
    }
}
