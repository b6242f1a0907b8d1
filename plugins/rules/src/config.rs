//! The options, and what they must be.

use pushgate_plugin::{Method, Pointer, Problems, quote};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Rules;
use crate::expression::Expression;
use crate::functions::environment;
use crate::message::Message;
use crate::on::On;
use crate::rule::{Action, OnError, Rule};

/// How many rules there may be.
const MAX_RULES: usize = 100;

/// How long a code may be, in bytes.
const MAX_CODE: usize = 64;

/// The options of `rules`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// The rules, in the order that they are asked in.
    pub rules: Vec<RuleTable>,
}

/// One rule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleTable {
    /// What findings are known by, as "no-team" in `rules/no-team`: dashboards and people look for it, so keep it.
    pub code: String,
    /// What the rule is about.
    pub on: On,
    /// A CEL expression: the rule is for what it is true of. Without it, for everything.
    pub when: Option<String>,
    /// A CEL expression that must be true.
    pub expr: String,
    /// What to do about it, in one line, with CEL expressions in `{{ }}`.
    pub message: String,
    /// What becomes of what breaks the rule.
    #[serde(default)]
    pub action: Action,
    /// What follows when `when` or `expr` fails, as a division by zero does.
    #[serde(default)]
    pub on_error: OnError,
    /// The methods that it is for.
    #[serde(default = "stores")]
    pub methods: Vec<RuleMethod>,
}

/// A method of a push.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum RuleMethod {
    /// Replaces a group.
    #[serde(rename = "PUT")]
    Put,
    /// Replaces metrics of a group.
    #[serde(rename = "POST")]
    Post,
    /// Removes a group.
    #[serde(rename = "DELETE")]
    Delete,
}

fn stores() -> Vec<RuleMethod> {
    vec![RuleMethod::Put, RuleMethod::Post]
}

impl Config {
    /// Checks everything and makes the policy.
    pub(crate) fn resolve(self) -> Result<Rules, Problems> {
        let mut problems = Problems::default();
        let pointer = || Pointer::default().key("rules");
        if self.rules.len() > MAX_RULES {
            let count = self.rules.len();
            problems.add(pointer(), format!("{count} rules are too many; {MAX_RULES} are allowed"));
            return Err(problems);
        }
        let mut rules: Vec<Rule> = Vec::with_capacity(self.rules.len());
        let mut codes: Vec<String> = Vec::with_capacity(self.rules.len());
        for (index, table) in self.rules.into_iter().enumerate() {
            let pointer = pointer().index(index);
            if let Some(other) = codes.iter().position(|code| *code == table.code) {
                problems
                    .add(pointer.clone().key("code"), format!("this is the code of rule {other} already"));
            }
            codes.push(table.code.clone());
            rules.extend(table.resolve(&pointer, &mut problems));
        }
        let env = environment().map_err(|error| problems.add(Pointer::default(), error.to_string()));
        match (env, problems.is_empty()) {
            (Ok(env), true) => Ok(Rules { rules, env }),
            _ => Err(problems),
        }
    }
}

impl RuleTable {
    fn resolve(self, pointer: &Pointer, problems: &mut Problems) -> Option<Rule> {
        if let Err(message) = check_code(&self.code) {
            problems.add(pointer.clone().key("code"), message);
        }
        if !matches!(self.on, On::Metric | On::Series) && self.action == Action::Drop {
            problems.add(pointer.clone().key("action"), "only metrics and series can be dropped");
        }
        if self.methods.is_empty() {
            problems.add(pointer.clone().key("methods"), "the list is empty, so the rule is for no push");
        }
        if matches!(self.on, On::Metric | On::Series) && self.methods.contains(&RuleMethod::Delete) {
            problems.add(pointer.clone().key("methods"), "a DELETE has no metrics and no series");
        }
        let mut told = |key: &str, message: String| problems.add(pointer.clone().key(key), message);
        let when = self.when.map(|when| Expression::condition(&when, self.on));
        let when = when.transpose().map_err(|message| told("when", message));
        let expr = Expression::condition(&self.expr, self.on).map_err(|message| told("expr", message));
        let message = Message::compile(&self.message, self.on).map_err(|message| told("message", message));
        Some(Rule {
            code: format!("rules/{}", self.code),
            on: self.on,
            methods: self.methods.into_iter().map(RuleMethod::into_method).collect(),
            when: when.ok()?,
            expr: expr.ok()?,
            message: message.ok()?,
            action: self.action,
            on_error: self.on_error,
        })
    }
}

impl RuleMethod {
    fn into_method(self) -> Method {
        match self {
            Self::Put => Method::Put,
            Self::Post => Method::Post,
            Self::Delete => Method::Delete,
        }
    }
}

fn check_code(code: &str) -> Result<(), String> {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if code.len() > MAX_CODE {
        return Err(format!("{} bytes are too long; {MAX_CODE} are allowed", code.len()));
    }
    if !code.split('-').all(is_word) {
        return Err(format!(
            "{} is no code; write words of a-z and 0-9 with '-' between, as 'no-team'",
            quote(code)
        ));
    }
    if code == "error" {
        return Err("'error' is the code of rules that fail".to_owned());
    }
    Ok(())
}
