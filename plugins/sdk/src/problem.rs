//! What is wrong with a configuration, and where.

use std::fmt;

use crate::bindings::policy;

/// A place in a configuration: an RFC 6901 JSON pointer. The gateway turns it into a line of its file.
///
/// ```
/// use pushgate_plugin::Pointer;
///
/// let pointer = Pointer::default().key("rules").index(2).key("regex");
/// assert_eq!(pointer.to_string(), "/rules/2/regex");
/// assert_eq!(Pointer::default().key("a/b").to_string(), "/a~1b");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer(String);

impl Pointer {
    /// The value of a key.
    ///
    /// ```
    /// # use pushgate_plugin::Pointer;
    /// assert_eq!(Pointer::default().key("rules").to_string(), "/rules");
    /// ```
    pub fn key(mut self, key: &str) -> Self {
        self.0.push('/');
        for character in key.chars() {
            match character {
                '~' => self.0.push_str("~0"),
                '/' => self.0.push_str("~1"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// An element of an array.
    ///
    /// ```
    /// # use pushgate_plugin::Pointer;
    /// assert_eq!(Pointer::default().index(0).to_string(), "/0");
    /// ```
    pub fn index(mut self, index: usize) -> Self {
        self.0.push('/');
        self.0.push_str(&index.to_string());
        self
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing that is wrong with a configuration.
///
/// ```
/// use pushgate_plugin::{Pointer, Problem};
///
/// let problem = Problem::new(Pointer::default().key("port"), "70000 is no port");
/// assert_eq!(problem.to_string(), "/port: 70000 is no port");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pointer: Pointer,
    message: String,
}

impl Problem {
    /// What is wrong there, and what would be right.
    ///
    /// ```
    /// # use pushgate_plugin::{Pointer, Problem};
    /// let problem = Problem::new(Pointer::default().key("team"), "an empty name is no label name");
    /// ```
    pub fn new(pointer: Pointer, message: impl Into<String>) -> Self {
        Self { pointer, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The configuration as a whole has an empty pointer.
        if !self.pointer.0.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a configuration, so that an operator mends it in one go.
///
/// ```
/// use pushgate_plugin::{Pointer, Problems};
///
/// fn check(names: &[&str]) -> Result<(), Problems> {
///     let mut problems = Problems::default();
///     for (index, name) in names.iter().enumerate() {
///         if name.is_empty() {
///             problems.add(Pointer::default().key("names").index(index), "a name is empty");
///         }
///     }
///     problems.into_result()
/// }
///
/// assert!(check(&["a"]).is_ok());
/// assert_eq!(check(&["", "b", ""]).unwrap_err().to_string(), "/names/0: a name is empty\n/names/2: a name is empty\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem.
    ///
    /// ```
    /// # use pushgate_plugin::{Pointer, Problems};
    /// let mut problems = Problems::default();
    /// problems.add(Pointer::default(), "needs at least one rule");
    /// ```
    pub fn add(&mut self, pointer: Pointer, message: impl Into<String>) {
        self.0.push(Problem::new(pointer, message));
    }

    /// Whether all is well.
    ///
    /// ```
    /// # use pushgate_plugin::Problems;
    /// assert!(Problems::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An error when there are problems.
    ///
    /// # Errors
    /// The problems themselves.
    ///
    /// ```
    /// # use pushgate_plugin::Problems;
    /// assert!(Problems::default().into_result().is_ok());
    /// ```
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The problems as they cross the boundary.
    pub(crate) fn into_wire(self) -> Vec<policy::ConfigProblem> {
        let to_wire =
            |problem: Problem| policy::ConfigProblem { pointer: problem.pointer.0, message: problem.message };
        self.0.into_iter().map(to_wire).collect()
    }
}

/// One line a problem.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| writeln!(f, "{problem}"))
    }
}

impl std::error::Error for Problems {}
