//! The functions of expressions, and what types they take.

use std::cmp::Ordering;
use std::sync::Arc;

use cel::common::ast::operators;
use cel::common::types::{CelBool, CelDouble, CelInt, CelString, DYN_TYPE, STRING_TYPE, Type as CelType};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError, extensions};
use pushgate_plugin::Pattern;

use crate::types::Type;

/// The name that a call of `matches` gets once its pattern is compiled; nobody can write it.
pub(crate) const MATCHES: &str = "@matches";

/// The comparisons, and the functions that take their places: those of the interpreter fail where one side is NaN, and
/// prepare what they would say then each time.
pub(crate) const COMPARISONS: [(&str, &str); 4] = [
    (operators::LESS, "@less"),
    (operators::LESS_EQUALS, "@less_equals"),
    (operators::GREATER, "@greater"),
    (operators::GREATER_EQUALS, "@greater_equals"),
];

/// A function. One that takes several types is there several times.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) style: Style,
    /// The types that it takes, the one that it is called on among them.
    takes: &'static [Kind],
    gives: Kind,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `size(x)`
    Global,
    /// `x.size()`
    Member,
}

/// What a function takes or gives.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Bool,
    Int,
    Double,
    String,
    Strings,
    /// Whatever has a size and is no string.
    Collection,
}

const fn global(name: &'static str, takes: &'static [Kind], gives: Kind) -> Function {
    Function { name, style: Style::Global, takes, gives }
}

const fn member(name: &'static str, takes: &'static [Kind], gives: Kind) -> Function {
    Function { name, style: Style::Member, takes, gives }
}

pub(crate) const FUNCTIONS: &[Function] = &[
    global("size", &[Kind::String], Kind::Int),
    global("size", &[Kind::Collection], Kind::Int),
    member("size", &[Kind::String], Kind::Int),
    member("size", &[Kind::Collection], Kind::Int),
    member("contains", &[Kind::String, Kind::String], Kind::Bool),
    member("startsWith", &[Kind::String, Kind::String], Kind::Bool),
    member("endsWith", &[Kind::String, Kind::String], Kind::Bool),
    member("matches", &[Kind::String, Kind::String], Kind::Bool),
    global("matches", &[Kind::String, Kind::String], Kind::Bool),
    member("lowerAscii", &[Kind::String], Kind::String),
    member("upperAscii", &[Kind::String], Kind::String),
    member("trim", &[Kind::String], Kind::String),
    member("indexOf", &[Kind::String, Kind::String], Kind::Int),
    member("substring", &[Kind::String, Kind::Int], Kind::String),
    member("substring", &[Kind::String, Kind::Int, Kind::Int], Kind::String),
    member("replace", &[Kind::String, Kind::String, Kind::String], Kind::String),
    member("split", &[Kind::String, Kind::String], Kind::Strings),
    member("join", &[Kind::Strings, Kind::String], Kind::String),
    global("string", &[Kind::Bool], Kind::String),
    global("string", &[Kind::Int], Kind::String),
    global("string", &[Kind::Double], Kind::String),
    global("string", &[Kind::String], Kind::String),
    global("int", &[Kind::Int], Kind::Int),
    global("int", &[Kind::Double], Kind::Int),
    global("int", &[Kind::String], Kind::Int),
    global("double", &[Kind::Int], Kind::Double),
    global("double", &[Kind::Double], Kind::Double),
    global("double", &[Kind::String], Kind::Double),
    global("math.abs", &[Kind::Int], Kind::Int),
    global("math.abs", &[Kind::Double], Kind::Double),
    global("math.ceil", &[Kind::Double], Kind::Double),
    global("math.floor", &[Kind::Double], Kind::Double),
    global("math.round", &[Kind::Double], Kind::Double),
    global("math.isNaN", &[Kind::Double], Kind::Bool),
    global("math.isInf", &[Kind::Double], Kind::Bool),
    global("math.isFinite", &[Kind::Double], Kind::Bool),
];

impl Function {
    /// What a call with these types gives, if it takes them.
    pub(crate) fn result(&self, given: &[Type]) -> Option<Type> {
        let takes_all = self.takes.len() == given.len()
            && self.takes.iter().zip(given).all(|(kind, given)| kind.takes(given));
        takes_all.then(|| self.gives.type_of())
    }
}

impl Kind {
    fn takes(self, given: &Type) -> bool {
        match self {
            Self::Collection => matches!(given, Type::List(_) | Type::Map(..) | Type::Labels),
            Self::Strings => given.join(&self.type_of()).is_some(),
            Self::Bool | Self::Int | Self::Double | Self::String => *given == self.type_of(),
        }
    }

    fn type_of(self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Double => Type::Double,
            Self::String => Type::String,
            Self::Strings => Type::list_of(Type::String),
            Self::Collection => Type::list_of(Type::Nothing),
        }
    }
}

/// What the interpreter knows, which is all of [`FUNCTIONS`] and more.
pub(crate) fn environment() -> Result<Arc<Env>, DeclarationError> {
    let mut env = Env::default().with_optional_support(false).with_stdlib();
    env.add_extension(extensions::strings)?;
    env.add_extension(extensions::math)?;
    env.add_overload(MATCHES, "matches_compiled", vec![STRING_TYPE, REGEX_TYPE.to_owned()], matches)?;
    let comparisons: [cel::common::functions::Function; 4] = [
        |args| compared(&args, Ordering::is_lt),
        |args| compared(&args, Ordering::is_le),
        |args| compared(&args, Ordering::is_gt),
        |args| compared(&args, Ordering::is_ge),
    ];
    for ((_, name), function) in COMPARISONS.into_iter().zip(comparisons) {
        env.add_overload(name, name, vec![DYN_TYPE, DYN_TYPE], function)?;
    }
    Ok(Arc::new(env))
}

fn compared<'b, 'v>(
    args: &[CowVal<'_, '_>],
    is_so: fn(Ordering) -> bool,
) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let number = |value: &dyn Val| {
        let int = value.downcast_ref::<CelInt>().map(|int| *int.inner() as f64);
        int.or_else(|| value.downcast_ref::<CelDouble>().map(|double| *double.inner()))
    };
    let [one, another] = args else {
        return Err(ExecutionError::invalid_argument_count(2, args.len()));
    };
    let order = match (one.downcast_ref::<CelInt>(), another.downcast_ref::<CelInt>()) {
        (Some(one), Some(another)) => Some(one.inner().cmp(another.inner())),
        _ => match (number(one.as_ref()), number(another.as_ref())) {
            (Some(one), Some(another)) => one.partial_cmp(&another),
            _ => {
                let (one, another) =
                    (one.downcast_ref::<CelString<'_>>(), another.downcast_ref::<CelString<'_>>());
                Some(one.map(CelString::inner).cmp(&another.map(CelString::inner)))
            }
        },
    };
    Ok(CowVal::owned(CelBool::from(order.is_some_and(is_so))))
}

#[expect(clippy::needless_pass_by_value, reason = "the interpreter hands them over")]
fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = args.first().and_then(|text| text.downcast_ref::<CelString<'_>>());
    let regex = args.get(1).and_then(|regex| regex.downcast_ref::<Regex>());
    match (text, regex) {
        (Some(text), Some(regex)) => Ok(CowVal::owned(CelBool::from(regex.0.is_match(text.inner())))),
        _ => Err(ExecutionError::function_error("matches", "takes a string and a pattern")),
    }
}

static REGEX_TYPE: CelType = CelType::new_unspecified_type("regex");

/// A compiled pattern, as a value of the interpreter.
#[derive(Clone, Debug)]
pub(crate) struct Regex(pub(crate) Pattern);

impl Val for Regex {
    fn get_type(&self) -> &CelType {
        &REGEX_TYPE
    }

    fn cel_type() -> &'static CelType {
        &REGEX_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

impl StaticVal for Regex {}
