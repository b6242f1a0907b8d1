//! Checks the types of an expression before it is ever run, and finds out what it reads.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, MapExpr, SelectExpr, operators,
};
use pushgate_plugin::{Pattern, quote};

use crate::functions::{COMPARISONS, FUNCTIONS, MATCHES, Regex, Style};
use crate::input::Input;
use crate::on::On;
use crate::suggestion::suggestion;
use crate::types::Type;
use crate::variables::{Part, VARIABLES, Variable};

/// How deep an expression may be nested: each level takes stack when it is run.
const MAX_DEPTH: usize = 64;

/// What is wrong, and with which node.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) node: u64,
    pub(crate) message: String,
}

fn fault<T>(node: u64, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { node, message: message.into() })
}

/// Checks an expression. On the way each node that reads the push, each list that is always the same and each pattern
/// is replaced by a name that stands for an [`Input`], which is had at once and not by walking the tree.
#[derive(Debug)]
pub(crate) struct Checker {
    on: On,
    pub(crate) inputs: Vec<Input>,
    /// Variables of macros, the innermost last.
    locals: Vec<(String, Type)>,
    depth: usize,
}

/// What can be read without running anything.
enum Place {
    Variable(&'static Variable),
    Labels(Part),
}

impl Checker {
    pub(crate) fn new(on: On) -> Self {
        Self { on, inputs: Vec::new(), locals: Vec::new(), depth: 0 }
    }

    /// The type of an expression.
    pub(crate) fn check(&mut self, node: &mut IdedExpr) -> Result<Type, Fault> {
        if self.depth == MAX_DEPTH {
            return fault(node.id, format!("nested more than {MAX_DEPTH} deep; make two rules of it"));
        }
        self.depth += 1;
        let id = node.id;
        let found = if let Some((input, found)) = self.read(node)? {
            node.expr = self.stand_in(input);
            found
        } else {
            match &mut node.expr {
                Expr::Literal(literal) => literal_type(id, literal)?,
                Expr::Ident(name) => self.identifier(id, name)?,
                Expr::Select(select) => self.select(id, select)?,
                Expr::Call(call) => self.call(id, call)?,
                Expr::List(list) => Type::list_of(self.join_all(&mut list.elements)?),
                Expr::Map(map) => self.map(id, map)?,
                Expr::Comprehension(comprehension) => self.comprehension(comprehension)?,
                Expr::Struct(_) => return fault(id, "there are no messages, only lists and maps"),
                Expr::Unspecified => return fault(id, "this is no expression"),
            }
        };
        self.depth -= 1;
        Ok(found)
    }

    /// An expression that must be of a type.
    fn expect(&mut self, node: &mut IdedExpr, expected: &Type) -> Result<(), Fault> {
        match self.check(node)? {
            found if found == *expected => Ok(()),
            found => fault(node.id, format!("this must be {expected} and is {found}")),
        }
    }

    fn stand_in(&mut self, input: Input) -> Expr {
        let known = self.inputs.iter().position(|known| known.is_same(&input));
        let index = known.unwrap_or_else(|| {
            self.inputs.push(input);
            self.inputs.len() - 1
        });
        Expr::Ident(Input::name(index))
    }

    /// What a node reads, if all of it is there without running anything.
    fn read(&self, node: &IdedExpr) -> Result<Option<(Input, Type)>, Fault> {
        match &node.expr {
            Expr::Select(SelectExpr { operand, field, test }) => match self.place(operand)? {
                Some(Place::Variable(_)) if *test => fault(
                    node.id,
                    "'has' asks for a label, as in has(push.labels.team); this is always there",
                ),
                Some(Place::Variable(variable)) => {
                    let part = part_of(node.id, variable, field)?;
                    Ok(Some((Input::Part(part), part.type_of())))
                }
                Some(Place::Labels(part)) if *test => Ok(Some((Input::Has(part, field.clone()), Type::Bool))),
                Some(Place::Labels(part)) => Ok(Some((Input::Label(part, field.clone()), Type::String))),
                None => Ok(None),
            },
            Expr::Call(CallExpr { func_name, args, .. }) => match (func_name.as_str(), args.as_slice()) {
                (operators::INDEX, [labels, name]) => {
                    Ok(self.label(labels, name)?.map(|(part, name)| (Input::Label(part, name), Type::String)))
                }
                (operators::IN, [name, labels]) => {
                    Ok(self.label(labels, name)?.map(|(part, name)| (Input::Has(part, name), Type::Bool)))
                }
                _ => Ok(None),
            },
            Expr::List(list) if !list.elements.is_empty() => {
                let mut element = Type::Nothing;
                let mut values = Vec::with_capacity(list.elements.len());
                for node in &list.elements {
                    let Expr::Literal(literal) = &node.expr else { return Ok(None) };
                    element = join(node.id, &element, &literal_type(node.id, literal)?)?;
                    values.push(literal.to_val().into_owned());
                }
                Ok(Some((Input::constant(values), Type::list_of(element))))
            }
            _ => Ok(None),
        }
    }

    fn label(&self, labels: &IdedExpr, name: &IdedExpr) -> Result<Option<(Part, String)>, Fault> {
        let Expr::Literal(LiteralValue::String(name)) = &name.expr else { return Ok(None) };
        match self.place(labels)? {
            Some(Place::Labels(part)) => Ok(Some((part, name.inner().to_owned()))),
            _ => Ok(None),
        }
    }

    fn place(&self, node: &IdedExpr) -> Result<Option<Place>, Fault> {
        match &node.expr {
            Expr::Ident(name) if !self.is_local(name) => {
                let Some(variable) = VARIABLES.iter().find(|variable| variable.name == name) else {
                    return Ok(None);
                };
                if !self.on.has(variable.on) {
                    let (name, on) = (variable.name, variable.on);
                    return fault(
                        node.id,
                        format!("there is no '{name}' in a rule on = \"{}\"; write on = \"{on}\"", self.on),
                    );
                }
                Ok(Some(Place::Variable(variable)))
            }
            Expr::Select(SelectExpr { operand, field, test: false }) => match self.place(operand)? {
                Some(Place::Variable(variable)) => {
                    let part = part_of(node.id, variable, field)?;
                    Ok((part.type_of() == Type::Labels).then_some(Place::Labels(part)))
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|(local, _)| local == name)
    }

    fn identifier(&self, id: u64, name: &str) -> Result<Type, Fault> {
        if let Some((_, found)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return Ok(found.clone());
        }
        if let Some(variable) = VARIABLES.iter().find(|variable| variable.name == name) {
            let fields: Vec<&str> = variable.fields.iter().map(|field| field.name).collect();
            let fields = fields.join("', '");
            return fault(id, format!("'{name}' has to be followed by a field; there are '{fields}'"));
        }
        let there =
            VARIABLES.iter().filter(|variable| self.on.has(variable.on)).map(|variable| variable.name);
        let known = there.chain(self.locals.iter().map(|(local, _)| local.as_str()));
        let known = known.filter(|name| !name.starts_with('@'));
        fault(id, format!("unknown variable {}{}", quote(name), suggestion(name, known)))
    }

    fn select(&mut self, id: u64, select: &mut SelectExpr) -> Result<Type, Fault> {
        match self.check(&mut select.operand)? {
            Type::Map(key, value) if *key == Type::String => {
                Ok(if select.test { Type::Bool } else { *value })
            }
            Type::Labels if select.test => {
                fault(id, "'has' asks for a label by its name, as in has(series.labels.team)")
            }
            Type::Labels => Ok(Type::String),
            other => fault(id, format!("{other} has no field {}", quote(&select.field))),
        }
    }

    fn call(&mut self, id: u64, call: &mut CallExpr) -> Result<Type, Fault> {
        if let Some(target) = &call.target
            && matches!(&target.expr, Expr::Ident(name) if name == "math" && !self.is_local(name))
        {
            let given = self.check_all(&mut call.args)?;
            return function(id, &format!("math.{}", call.func_name), Style::Global, &given);
        }
        if call.func_name == "matches" {
            return self.matches(id, call);
        }
        if let Some(target) = &mut call.target {
            let mut given = vec![self.check(target)?];
            given.extend(self.check_all(&mut call.args)?);
            return function(id, &call.func_name, Style::Member, &given);
        }
        let given = self.check_all(&mut call.args)?;
        match operator(&call.func_name, &given) {
            Some(Ok(found)) => {
                if let Some((_, ours)) = COMPARISONS.iter().find(|(theirs, _)| *theirs == call.func_name) {
                    call.func_name = (*ours).to_owned();
                }
                Ok(found)
            }
            Some(Err(expected)) => {
                let name = call.func_name.trim_matches(['_', '@', '[', ']']).replace('_', "");
                let name = if call.func_name == operators::INDEX { "[]" } else { &name };
                fault(id, format!("'{name}' takes {expected}, and this is {}", listed(&given)))
            }
            None => function(id, &call.func_name, Style::Global, &given),
        }
    }

    /// The pattern is compiled here, once; so it has to be written out.
    fn matches(&mut self, id: u64, call: &mut CallExpr) -> Result<Type, Fault> {
        let style = if call.target.is_some() { Style::Member } else { Style::Global };
        let mut args: Vec<IdedExpr> = call.target.take().map(|target| *target).into_iter().collect();
        args.append(&mut call.args);
        let given = self.check_all(&mut args)?;
        let found = function(id, "matches", style, &given)?;
        if let Some(node) = args.get_mut(1) {
            let Expr::Literal(LiteralValue::String(pattern)) = &node.expr else {
                return fault(
                    node.id,
                    "the pattern of 'matches' must be a text, as in name.matches('^[a-z]+$')",
                );
            };
            match Pattern::unanchored(pattern.inner()) {
                Ok(pattern) => node.expr = self.stand_in(Input::Constant(Box::new(Regex(pattern)))),
                Err(error) => return fault(node.id, format!("no regex: {error}")),
            }
        }
        *call = CallExpr { func_name: MATCHES.to_owned(), target: None, args };
        Ok(found)
    }

    fn map(&mut self, id: u64, map: &mut MapExpr) -> Result<Type, Fault> {
        let (mut key, mut value) = (Type::Nothing, Type::Nothing);
        for entry in &mut map.entries {
            let EntryExpr::MapEntry(entry) = &mut entry.expr else { return fault(id, "this is no map") };
            key = join(entry.key.id, &key, &self.check(&mut entry.key)?)?;
            value = join(entry.value.id, &value, &self.check(&mut entry.value)?)?;
        }
        match key {
            Type::String | Type::Int | Type::Bool | Type::Nothing => {
                Ok(Type::Map(Box::new(key), Box::new(value)))
            }
            other => fault(id, format!("the keys of a map are string, int or bool, and these are {other}")),
        }
    }

    /// What the macros become: a loop over a list, or over the keys of a map.
    fn comprehension(&mut self, loops: &mut ComprehensionExpr) -> Result<Type, Fault> {
        let over = self.check(&mut loops.iter_range)?;
        let Some(element) = over.element() else {
            return fault(loops.iter_range.id, format!("{over} has no elements to go through"));
        };
        let begin = self.check(&mut loops.accu_init)?;
        self.locals.push((loops.accu_var.clone(), begin.clone()));
        self.locals.push((loops.iter_var.clone(), element));
        self.expect(&mut loops.loop_cond, &Type::Bool)?;
        let step = self.check(&mut loops.loop_step)?;
        let total = join(loops.loop_step.id, &begin, &step)?;
        self.locals.pop();
        self.locals.pop();
        self.locals.push((loops.accu_var.clone(), total));
        let found = self.check(&mut loops.result);
        self.locals.pop();
        found
    }

    fn check_all(&mut self, nodes: &mut [IdedExpr]) -> Result<Vec<Type>, Fault> {
        nodes.iter_mut().map(|node| self.check(node)).collect()
    }

    fn join_all(&mut self, nodes: &mut [IdedExpr]) -> Result<Type, Fault> {
        nodes.iter_mut().try_fold(Type::Nothing, |joined, node| {
            let found = self.check(node)?;
            join(node.id, &joined, &found)
        })
    }
}

fn part_of(id: u64, variable: &Variable, name: &str) -> Result<Part, Fault> {
    match variable.fields.iter().find(|field| field.name == name) {
        Some(field) => Ok(field.part),
        None => {
            let suggestion = suggestion(name, variable.fields.iter().map(|field| field.name));
            fault(id, format!("unknown field {} of '{}'{suggestion}", quote(name), variable.name))
        }
    }
}

fn literal_type(id: u64, literal: &LiteralValue) -> Result<Type, Fault> {
    match literal {
        LiteralValue::Boolean(_) => Ok(Type::Bool),
        LiteralValue::Int(_) => Ok(Type::Int),
        LiteralValue::Double(_) => Ok(Type::Double),
        LiteralValue::String(_) => Ok(Type::String),
        LiteralValue::UInt(_) => fault(id, "there is no uint; leave out the 'u'"),
        LiteralValue::Bytes(_) => fault(id, "there are no bytes; leave out the 'b'"),
        LiteralValue::Null => fault(id, "nothing is ever null; a label that is not there is ''"),
    }
}

fn join(id: u64, one: &Type, another: &Type) -> Result<Type, Fault> {
    one.join(another)
        .map_or_else(|| fault(id, format!("this is {another}, and what stands before it is {one}")), Ok)
}

fn function(id: u64, name: &str, style: Style, given: &[Type]) -> Result<Type, Fault> {
    let of_that_name = || FUNCTIONS.iter().filter(|function| function.name == name);
    if let Some(found) = of_that_name().filter(|f| f.style == style).find_map(|f| f.result(given)) {
        return Ok(found);
    }
    let Some(known) = of_that_name().next() else {
        let macros = ["has", "all", "exists", "exists_one", "map", "filter"];
        let known = FUNCTIONS.iter().map(|function| function.name).chain(macros);
        return fault(id, format!("unknown function {}{}", quote(name), suggestion(name, known)));
    };
    let listed = listed(given);
    if of_that_name().any(|function| function.style == style) {
        return fault(id, format!("'{name}' does not take {listed}"));
    }
    let example = if known.style == Style::Member { "x.f()" } else { "f(x)" };
    fault(id, format!("'{name}' is called as in {example}"))
}

/// What an operator gives, or what it would take; `None` if it is none.
fn operator(name: &str, given: &[Type]) -> Option<Result<Type, &'static str>> {
    let found = |found: Option<Type>, expected| Some(found.ok_or(expected));
    match (name, given) {
        (operators::LOGICAL_AND | operators::LOGICAL_OR, [Type::Bool, Type::Bool])
        | (operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE, [Type::Bool]) => {
            found(Some(Type::Bool), "")
        }
        (operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT, _) => found(None, "bool"),
        (operators::CONDITIONAL, [Type::Bool, one, another]) => {
            found(one.join(another), "a bool and two of the same type")
        }
        (operators::CONDITIONAL, _) => found(None, "a bool and two of the same type"),
        (operators::EQUALS | operators::NOT_EQUALS, [one, another]) => {
            found(one.is_comparable_to(another).then_some(Type::Bool), "two of the same type")
        }
        (
            operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS,
            [one, another],
        ) => {
            let are_ordered =
                one.is_number() && another.is_number() || (one, another) == (&Type::String, &Type::String);
            found(are_ordered.then_some(Type::Bool), "two numbers or two strings")
        }
        (operators::ADD, [one @ (Type::Int | Type::Double | Type::String), another]) => found(
            (one == another).then(|| one.clone()),
            "two of the same type; see int(), double(), string()",
        ),
        (operators::ADD, [one @ Type::List(_), another]) => {
            found(one.join(another), "two lists of the same type")
        }
        (operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE, [one, another]) => {
            let found_type = (one == another && one.is_number()).then(|| one.clone());
            found(found_type, "two int or two double; see int() and double()")
        }
        (operators::MODULO, [Type::Int, Type::Int]) => found(Some(Type::Int), ""),
        (operators::MODULO, _) => found(None, "two int"),
        (operators::ADD, _) => found(None, "two numbers, strings or lists"),
        (operators::NEGATE, [one]) => found(one.is_number().then(|| one.clone()), "a number"),
        (operators::IN, [one, another]) => {
            let is_element = another.element().is_some_and(|element| element.is_comparable_to(one));
            found(is_element.then_some(Type::Bool), "what may be an element, and a list, a map or labels")
        }
        (operators::INDEX, [Type::List(element), Type::Int]) => found(Some((**element).clone()), ""),
        (operators::INDEX, [Type::Map(key, value), index]) => {
            found((**key == *index).then(|| (**value).clone()), "a map and one of its keys")
        }
        (operators::INDEX, [Type::Labels, Type::String]) => found(Some(Type::String), ""),
        (operators::INDEX, _) => found(None, "a list and an int, or labels and a string"),
        _ => None,
    }
}

fn listed(given: &[Type]) -> String {
    let names: Vec<String> = given.iter().map(ToString::to_string).collect();
    format!("({})", names.join(", "))
}
