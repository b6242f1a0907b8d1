//! What can be wrong with a file.

/// The file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the persistence file is damaged at byte {offset}: {problem}")]
pub struct Error {
    /// Where, counted from 0.
    pub offset: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what the variant means")]
pub enum Problem {
    #[error("it is empty; a file without groups has type definitions, too")]
    Empty,
    #[error("it ends in the middle of a {0}")]
    End(&'static str),
    #[error("a {what} of {announced} bytes is announced, but only {left} are left")]
    TooLong { what: &'static str, announced: u64, left: usize },
    #[error("a {what} with {announced} entries is announced, but only {left} bytes are left")]
    TooMany { what: &'static str, announced: u64, left: usize },
    #[error("a number of {0} bytes; numbers have up to 8")]
    Number(u8),
    #[error("the type {0} is not defined")]
    UnknownType(i64),
    #[error("the type {0} is defined twice")]
    SecondType(i64),
    #[error("a definition of an unknown kind of type")]
    UnknownKind,
    #[error("a field with the number {number}, but the type has {fields} fields")]
    UnknownField { number: u64, fields: usize },
    #[error("types are nested too deeply")]
    TooDeep,
    #[error("it holds no groups of a Pushgateway: {0}")]
    NotGroups(&'static str),
    #[error("a {0} that is not UTF-8")]
    NotUtf8(&'static str),
    #[error("a time of {0} bytes and version {1}; times have 15 bytes and version 1, or 16 and version 2")]
    Time(usize, u8),
    #[error("{0} bytes are left over")]
    Rest(usize),
}
