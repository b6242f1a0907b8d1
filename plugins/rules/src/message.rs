//! Messages: text with expressions in it.

use std::sync::Arc;

use cel::Env;
use cel::common::types::{CelBool, CelDouble, CelInt, CelString};
use cel::common::value::Val;
use pushgate_plugin::quote;

use crate::expression::Expression;
use crate::input::Subject;
use crate::on::On;
use crate::types::Type;

/// How long a message may be before its expressions are filled in.
const MAX_LENGTH: usize = 512;

/// A text with `{{ expression }}` in it.
#[derive(Debug)]
pub(crate) struct Message(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Value(Expression),
}

impl Message {
    pub(crate) fn compile(source: &str, on: On) -> Result<Self, String> {
        if source.trim().is_empty() {
            return Err("a message has to say what to do".to_owned());
        }
        if source.len() > MAX_LENGTH {
            return Err(format!("{} bytes are too long; {MAX_LENGTH} are allowed", source.len()));
        }
        if source.contains(char::is_control) {
            return Err("a message is one line".to_owned());
        }
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((text, begun)) = rest.split_once("{{") {
            let Some((expression, after)) = begun.split_once("}}") else {
                return Err("a '{{' is not closed by '}}'".to_owned());
            };
            let expression = expression.trim();
            let compiled = Expression::compile(expression, on)
                .and_then(|compiled| match &compiled.found {
                    Type::Bool | Type::Int | Type::Double | Type::String => Ok(compiled),
                    other => Err(format!("this is {other}; use size(), or join() of a list of strings")),
                })
                .map_err(|error| format!("in {}: {error}", quote(expression)))?;
            parts.extend([Part::Text(text.to_owned()), Part::Value(compiled)]);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The message about a subject. Strings are quoted: most of them come with the push.
    pub(crate) fn render(&self, env: &Arc<Env>, subject: Subject<'_>) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Value(value) => {
                    value.run(env, subject, shown).unwrap_or_else(|error| format!("({error})"))
                }
            })
            .collect()
    }

    /// Whether it is the same for all of a push.
    pub(crate) fn is_constant(&self) -> bool {
        self.0.iter().all(|part| match part {
            Part::Text(_) => true,
            Part::Value(value) => value.changes_with == On::Push,
        })
    }
}

fn shown(value: &dyn Val) -> String {
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        quote(text.inner()).to_string()
    } else if let Some(number) = value.downcast_ref::<CelInt>() {
        number.inner().to_string()
    } else if let Some(number) = value.downcast_ref::<CelDouble>() {
        number.inner().to_string()
    } else {
        value.downcast_ref::<CelBool>().is_some_and(|value| *value.inner()).to_string()
    }
}
