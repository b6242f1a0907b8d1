//! What a push looks like to a plugin that sees no numbers, as one number.

use pushgate_exposition::Push;

use crate::Request;
use crate::fingerprint::{Blocks, Fingerprint};

/// A fingerprint of everything that crosses the boundary to a pure plugin, in the very bytes in which it does: two
/// pushes of one shape are the same push to it. The numbers of a push are no part of it, and no symbol comes from
/// one; everything else is, also columns that a plugin did not ask for, so that all plugins have one shape of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape(Fingerprint);

impl Shape {
    /// The shape of a push as plugins see it that want neither values nor points.
    pub(crate) fn of(push: &Push, request: Request<'_>) -> Self {
        let mut blocks = Blocks::of(request.method);
        blocks.bytes(push.symbols().bytes());
        blocks.words(push.symbols().ends());
        blocks.block(push.grouping().len() as u128);
        for label in push.grouping() {
            blocks.block(u128::from(label.name) << 32 | u128::from(label.value));
        }
        let (families, series) = (push.family_columns(), push.series_columns());
        blocks.words(&families.name);
        blocks.bytes(&families.kind);
        blocks.words(&families.help);
        blocks.words(&families.unit);
        blocks.words(&families.series_end);
        blocks.words(&series.label_end);
        blocks.words(&series.label_name);
        blocks.words(&series.label_value);
        blocks.attributes(request.attributes);
        Self(blocks.finish())
    }

    #[cfg(test)]
    pub(crate) fn of_number(number: u128) -> Self {
        Self(Fingerprint::of_number(number))
    }

    /// Some of its bits, which are as good as random.
    pub(crate) fn bits(self) -> usize {
        self.0.bits()
    }
}

#[cfg(test)]
mod tests {
    use pushgate_exposition::{GroupingKey, Rules, text};

    use super::*;
    use crate::Method;

    const PUT: Request<'static> = Request { id: "1", method: Method::Put, received_ms: 1, attributes: &[] };
    const BODY: &str = "# HELP m Help.\n# TYPE m gauge\nm{a=\"1\",b=\"2\"} 1\nm{a=\"2\"} 2\nn 3\n";

    fn push(key: &[(&'static str, &str)], body: &str) -> Push {
        let key = GroupingKey::new(key.iter().map(|(name, value)| (*name, (*value).to_owned()))).unwrap();
        text::parse(body.as_bytes(), &key, &Rules::default()).unwrap()
    }

    fn shape(body: &str) -> Shape {
        Shape::of(&push(&[("job", "j")], body), PUT)
    }

    #[test]
    fn numbers_and_what_only_names_a_push_are_no_part_of_it() {
        let other =
            "# HELP m Help.\n# TYPE m gauge\n\nm{a=\"1\",b=\"2\"} NaN\n# what?\nm{a=\"2\"}  -1e9\nn 0\n";
        assert_eq!(shape(BODY), shape(other));
        let later = Request { id: "2", received_ms: 2, ..PUT };
        let push = push(&[("job", "j")], BODY);
        assert_eq!(shape(BODY), Shape::of(&push, later));
        let histogram = |count: u32| {
            shape(&format!(
                "# TYPE h histogram\nh_bucket{{le=\"{count}\"}} {count}\nh_sum 1\nh_count {count}\n"
            ))
        };
        assert_eq!(histogram(1), histogram(2));
    }

    #[test]
    fn everything_else_is() {
        let mut shapes = vec![shape(BODY)];
        for (from, to) in [
            ("n 3", "o 3"),                                                               // a name
            ("gauge", "counter"),                                                         // a type
            ("Help.", "Help!"),                             // a text, which is a symbol
            ("b=\"2\"", "b=\"3\""),                         // a label's value
            ("b=\"2\"", "c=\"2\""),                         // a label's name
            (",b=\"2\"", ""),                               // a label less
            ("n 3\n", ""),                                  // a family less
            ("n 3\n", "n 3\nn{x=\"1\"} 4\n"),               // a series more
            ("m{a=\"2\"} 2\nn 3\n", "n{a=\"2\"} 3\nm 2\n"), // another family's label
            ("m{a=\"1\",b=\"2\"} 1\nm{a=\"2\"} 2", "m{a=\"2\"} 2\nm{a=\"1\",b=\"2\"} 1"), // the order
        ] {
            assert!(BODY.contains(from), "{from}");
            shapes.push(shape(&BODY.replace(from, to)));
        }
        for key in [[("job", "i"), ("x", "y")], [("job", "j"), ("x", "y")], [("job", "j"), ("y", "x")]] {
            shapes.push(Shape::of(&push(&key, BODY), PUT));
        }
        let push = push(&[("job", "j")], BODY);
        for method in [Method::Post, Method::Delete] {
            shapes.push(Shape::of(&push, Request { method, ..PUT }));
        }
        let attribute = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for attributes in [
            vec![attribute("user", "a")],
            vec![attribute("user", "b")],
            vec![attribute("usera", "")],
            vec![attribute("user", "a"), attribute("", "")],
        ] {
            shapes.push(Shape::of(&push, Request { attributes: &attributes, ..PUT }));
        }
        for (index, shape) in shapes.iter().enumerate() {
            assert!(!shapes[..index].contains(shape), "the shape of number {index} is that of one before it");
        }
    }

    #[test]
    fn a_text_is_a_column() {
        // The same symbols: the text of one family is that of the other.
        let [one, two] =
            ["m", "n"].map(|name| push(&[("job", "j")], &format!("# HELP {name} n\nm 1\nn 2\n")));
        assert_ne!(Shape::of(&one, PUT), Shape::of(&two, PUT));
    }

    #[test]
    fn long_columns_are_hashed_to_their_end() {
        for series in [1, 31, 32, 33, 127, 128, 129, 300] {
            let body = |last: &str| -> String {
                let labels = (1..series).map(|number| format!("m{{a=\"{number}\"}} 1\n"));
                labels.chain([format!("m{{a=\"{last}\"}} 1\nz{{a=\"x\",b=\"y\"}} 1\n")]).collect()
            };
            assert_eq!(shape(&body("x")), shape(&body("x")), "{series}");
            assert_ne!(shape(&body("x")), shape(&body("y")), "{series}");
        }
    }
}
