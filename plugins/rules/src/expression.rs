//! Expressions: compiled when the plugin is configured, run for each push.

use std::sync::Arc;

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::common::types::CelBool;
use cel::common::value::Val;
use cel::parser::Parser;
use cel::{Context, Env, ExecutionError, Value};

use crate::check::{Checker, Fault};
use crate::input::{Input, Reader, Subject};
use crate::on::On;
use crate::types::Type;
use crate::variables::Part;

/// How long an expression may be, in bytes.
const MAX_LENGTH: usize = 2048;

/// How many operators and how many brackets within each other it may have: the parser takes stack for each of them,
/// before there is a tree that could be looked at.
const MAX_OPERATORS: usize = 256;
const MAX_BRACKETS: usize = 64;

/// An expression without faults.
#[derive(Debug)]
pub(crate) struct Expression {
    root: IdedExpr,
    pub(crate) inputs: Vec<Input>,
    pub(crate) found: Type,
    /// How often in a push it may have another value.
    pub(crate) changes_with: On,
}

impl Expression {
    /// Compiles an expression of a rule. The error says where it is wrong and what to do.
    pub(crate) fn compile(source: &str, on: On) -> Result<Self, String> {
        if source.len() > MAX_LENGTH {
            return Err(format!("{} bytes are too long; {MAX_LENGTH} are allowed", source.len()));
        }
        check_size(source)?;
        let parsed = Parser::new().parse_with_source_info(source);
        let (mut root, places) = parsed.map_err(|errors| match errors.errors.first() {
            Some(error) => {
                // What could have stood there instead is told as a list of everything.
                let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
                let message = message.split(" expecting {").next().unwrap_or(message);
                format!("no expression: {} (at {})", one_line(message), place(error.pos))
            }
            None => "no expression".to_owned(),
        })?;
        let mut checker = Checker::new(on);
        let found = checker.check(&mut root).map_err(|fault| told(&fault, &places))?;
        let parts = checker.inputs.iter().filter_map(Input::part);
        let changes_with = parts.map(Part::changes_with).max().unwrap_or(On::Push);
        Ok(Self { root, inputs: checker.inputs, found, changes_with })
    }

    /// Compiles a condition.
    pub(crate) fn condition(source: &str, on: On) -> Result<Self, String> {
        let compiled = Self::compile(source, on)?;
        match &compiled.found {
            Type::Bool => Ok(compiled),
            Type::String => Err("this is a string and must be a bool; compare it, as in x != ''".to_owned()),
            other => Err(format!("this is {other} and must be a bool; compare it, as in x > 0")),
        }
    }

    /// Runs it, and hands over what comes of it. The error is for people.
    pub(crate) fn run<R>(
        &self,
        env: &Arc<Env>,
        subject: Subject<'_>,
        read: impl FnOnce(&dyn Val) -> R,
    ) -> Result<R, String> {
        let reader = Reader::new(&self.inputs, subject);
        let mut context = Context::with_env(Arc::clone(env));
        context.set_variable_resolver(&reader);
        let value = Value::resolve_val(&self.root, &context).map_err(|error| reason(&error))?;
        Ok(read(value.as_ref()))
    }

    /// Runs a condition.
    pub(crate) fn is_true(&self, env: &Arc<Env>, subject: Subject<'_>) -> Result<bool, String> {
        self.run(env, subject, |value| value.downcast_ref::<CelBool>().is_some_and(|value| *value.inner()))
    }
}

/// Counts what makes the parser go deeper. Strings are skipped; where one is raw and this takes a quote for its end that
/// is none, or the other way round, the worst that follows is that the parser runs out of its stack.
fn check_size(source: &str) -> Result<(), String> {
    let (mut operators, mut brackets, mut quoted_by) = (0, 0_usize, None);
    let mut letters = source.bytes();
    while let Some(letter) = letters.next() {
        match (quoted_by, letter) {
            (Some(_), b'\\') => drop(letters.next()),
            (Some(quote), _) if letter == quote => quoted_by = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quoted_by = Some(letter),
            (None, b'(' | b'[' | b'{') => brackets += 1,
            (None, b')' | b']' | b'}') => brackets = brackets.saturating_sub(1),
            (None, b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'!' | b'=' | b'<' | b'>' | b'?') => {
                operators += 1;
            }
            (None, _) => {}
        }
        // An index makes no brackets within each other, but goes as deep as an operator.
        operators += usize::from(quoted_by.is_none() && letter == b'[');
        if operators > MAX_OPERATORS {
            return Err(format!("more than {MAX_OPERATORS} operators; make two rules of it"));
        }
        if brackets > MAX_BRACKETS {
            return Err(format!("more than {MAX_BRACKETS} brackets within each other; make two rules of it"));
        }
    }
    Ok(())
}

/// What went wrong, without the values, which may be anything that was pushed.
fn reason(error: &ExecutionError) -> String {
    match error {
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "division by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "integer overflow".to_owned(),
        ExecutionError::NoSuchKey(_) => "no such key in a map".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "index past the end of a list".to_owned(),
        ExecutionError::FunctionError { function, message } => one_line(&format!("{function}: {message}")),
        ExecutionError::DuplicateKey(_) => "a map with the same key twice".to_owned(),
        other => one_line(&other.to_string()),
    }
}

fn told(fault: &Fault, places: &SourceInfo) -> String {
    let Some((start, _)) = places.offset_for(fault.node) else { return fault.message.clone() };
    let before: String = places.source.chars().take(start as usize).collect();
    let line = before.matches('\n').count() as isize + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() as isize + 1;
    format!("{} (at {})", fault.message, place((line, column)))
}

fn place((line, column): (isize, isize)) -> String {
    if line <= 1 { format!("column {column}") } else { format!("line {line}, column {column}") }
}

fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(160).collect()
}
