//! YAML as a tree that remembers lines.
//!
//! Only what configuration files need: mappings, lists and scalars. Anchors, aliases and tags are refused, so a small file
//! cannot unfold into a large one, and nesting is bounded by the parser. Scalars stay text until somebody asks for
//! a kind, as `1234` is a fine user name.

use granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::error::Problem;

/// A web configuration needs three levels, a `prometheus.yml` some ten.
const MAX_NESTING: usize = 16;

/// A value and the line it begins in.
pub struct Node {
    /// From 1 on.
    pub line: usize,
    /// What it is.
    pub value: Value,
}

/// What a node is. No `Debug`: it may be a key or a password hash.
pub enum Value {
    /// Nothing, or `null`.
    Null,
    /// Text.
    Scalar {
        /// As it is without quotes and escapes.
        text: String,
        /// Neither quoted nor a block, so that `true` and `1s` can mean more than text.
        plain: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written; no key occurs twice.
    Map(Vec<Entry>),
}

/// A key of a mapping with its value.
pub struct Entry {
    /// As text, whatever it looks like.
    pub key: String,
    /// The line of the key.
    pub line: usize,
    /// The value.
    pub node: Node,
}

/// Reads the one document of a file; one without any content is a null.
///
/// # Errors
/// When it is no YAML, or more than a tree of mappings, lists and scalars.
pub fn read(text: &str) -> Result<Node, Problem> {
    let options = granit_parser::options! {
        flow_nesting_limit: MAX_NESTING,
        block_nesting_limit: MAX_NESTING,
        emit_comments: false,
    };
    let mut events = Events(Parser::new_from_str_with_options(text, options));
    let mut root = None;
    loop {
        let (event, span) = events.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentEnd => {}
            Event::DocumentStart(..) if root.is_some() => {
                return Err(problem(&span, "a second document; the file may have one"));
            }
            Event::DocumentStart(..) => {
                let (event, span) = events.next()?;
                root = Some(events.node(event, &span)?);
            }
            _ => return Err(problem(&span, "is not the beginning of a document")),
        }
    }
    Ok(root.unwrap_or(Node { line: 1, value: Value::Null }))
}

struct Events<'t>(Parser<'t, granit_parser::StrInput<'t>>);

impl<'t> Events<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Problem> {
        match self.0.next() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                Err(Problem::at(error.marker().line(), "", format!("is not YAML: {}", error.info())))
            }
            None => Err(Problem::of_file("is not YAML: it ends too early")),
        }
    }

    fn node(&mut self, event: Event<'t>, span: &Span) -> Result<Node, Problem> {
        let value = match event {
            Event::Scalar(_, _, anchor, ref tag)
            | Event::SequenceStart(_, anchor, ref tag)
            | Event::MappingStart(_, anchor, ref tag)
                if anchor != 0 || tag.is_some() =>
            {
                return Err(problem(span, "anchors and tags are not supported; write the plain value"));
            }
            Event::Scalar(text, style, ..) => scalar(text.into_owned(), style),
            Event::SequenceStart(..) => Value::List(self.list()?),
            Event::MappingStart(..) => Value::Map(self.map()?),
            _ => return Err(problem(span, "aliases are not supported; write the value once more")),
        };
        Ok(Node { line: span.start.line(), value })
    }

    fn list(&mut self) -> Result<Vec<Node>, Problem> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(nodes),
                (event, span) => nodes.push(self.node(event, &span)?),
            }
        }
    }

    fn map(&mut self) -> Result<Vec<Entry>, Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut keys = std::collections::HashSet::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(entries);
            }
            let Value::Scalar { text: key, .. } = self.node(event, &span)?.value else {
                return Err(problem(&span, "a key must be text"));
            };
            if !keys.insert(key.clone()) {
                return Err(Problem::at(span.start.line(), key, "stands here a second time; remove one"));
            }
            let (event, value) = self.next()?;
            let node = self.node(event, &value)?;
            entries.push(Entry { key, line: span.start.line(), node });
        }
    }
}

fn scalar(text: String, style: ScalarStyle) -> Value {
    let plain = style == ScalarStyle::Plain;
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" if plain => Value::Null,
        _ => Value::Scalar { text, plain },
    }
}

fn problem(span: &Span, message: &str) -> Problem {
    Problem::at(span.start.line(), "", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree on one line: `{key@line: value}`, text in quotes unless it was plain.
    fn show(node: &Node) -> String {
        match &node.value {
            Value::Null => "-".to_owned(),
            Value::Scalar { text, plain: true } => text.clone(),
            Value::Scalar { text, plain: false } => format!("{text:?}"),
            Value::List(nodes) => format!("{:?}", nodes.iter().map(show).collect::<Vec<_>>()),
            Value::Map(entries) => {
                let entry = |e: &Entry| format!("{}@{}: {}", e.key, e.line, show(&e.node));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn check(text: &str, expected: &str) {
        let shown = read(text).map_or_else(|problem| problem.to_string(), |node| show(&node));
        assert_eq!(shown, expected, "{text:?}");
    }

    #[test]
    fn a_document_is_a_tree_with_lines() {
        check("", "-");
        check("# nothing\n", "-");
        check("---\n...\n", "-");
        check("null\n", "-");
        check(
            "a: 1\n\nb:\n  c: 'x'\n  d: [y, \"z\"]\n",
            "{a@1: 1, b@3: {c@4: \"x\", d@5: [\"y\", \"\\\"z\\\"\"]}}",
        );
        check("a: |\n  x\n  y\n", "{a@1: \"x\\ny\\n\"}");
        check("1234: x\nyes: y\n", "{1234@1: x, yes@2: y}");
    }

    #[test]
    fn what_is_no_plain_tree_is_refused() {
        check("a: 1\n---\nb: 2\n", ":2: a second document; the file may have one");
        check("a: 1\nb: 2\na: 3\n", ":3: a: stands here a second time; remove one");
        check("a: &x 1\n", ":1: anchors and tags are not supported; write the plain value");
        check("a: !!str 1\n", ":1: anchors and tags are not supported; write the plain value");
        check("[a]: 1\n", ":1: a key must be text");
        let told = read("foo: [").map_or_else(|problem| problem.to_string(), |node| show(&node));
        assert!(told.starts_with(":1: is not YAML: "), "{told}");
    }

    #[test]
    fn nesting_is_bounded() {
        for deep in [
            format!("a: {}", "[".repeat(100_000)),
            (0..100).map(|n| format!("{}a:\n", " ".repeat(n))).collect(),
        ] {
            let Err(problem) = read(&deep) else { panic!("it is too deep") };
            assert!(problem.to_string().contains("is not YAML: "), "{problem}");
        }
    }
}
