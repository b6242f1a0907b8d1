//! What can be wrong with a file, said so that somebody with a hex dump finds the place.

/// A file was refused: the first problem in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the persistence file at byte {offset}: {problem}")]
pub struct ReadError {
    /// Where what is wrong begins, counted from 0.
    pub offset: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// One kind of problem. A `what` is the part of the file that has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what the variant means")]
pub enum Problem {
    #[error("the file is empty")]
    Empty,
    #[error("the file ends before the groups")]
    NoValue,
    #[error("{what} announces {announced} bytes, but only {left} are left")]
    Length { what: &'static str, announced: u64, left: usize },
    #[error("{what} announces {announced} entries, but only {left} bytes are left")]
    Count { what: &'static str, announced: u64, left: usize },
    #[error("a number ends behind the end of what it is part of")]
    NumberCutOff,
    #[error("a number of {0} bytes, but none has more than 8")]
    NumberTooLong(u8),
    #[error("{bytes} bytes follow behind the end of {what}")]
    ExtraBytes { what: &'static str, bytes: usize },
    #[error("a 0 has to stand before a value that is no struct")]
    Singleton,
    #[error("{what} has no field of the number {number}")]
    UnknownField { what: &'static str, number: usize },
    #[error("type {0} is defined, but that number cannot be given to a type")]
    IllegalType(i64),
    #[error("type {0} is defined a second time")]
    SecondDefinition(i64),
    #[error("the definition of type {0} does not say which kind of type it is, or says it twice")]
    Kind(i64),
    #[error("type {0} is used, but not defined")]
    UndefinedType(i64),
    #[error("a field that is to be skipped holds an interface value, which no Pushgateway writes")]
    Interface,
    #[error("an array has {found} elements, but its type {expected}")]
    ArrayLength { expected: i64, found: usize },
    #[error("not the file of a Pushgateway: {what} is not {expected}")]
    Foreign { what: &'static str, expected: &'static str },
    #[error("a time of {bytes} bytes in version {version}, but only versions 1 and 2 are known")]
    TimeFormat { bytes: usize, version: u8 },
    #[error("a time that cannot be: {nanos} nanoseconds behind second {seconds} since the year 1")]
    Time { seconds: i64, nanos: u32 },
    #[error("metric family {0:?} has no contents")]
    NoContents(String),
    #[error("{0}")]
    Repeated(#[from] crate::Repeated),
    #[error("too many {what}, {limit} are allowed")]
    OverLimit { what: &'static str, limit: usize },
}

/// Bytes as text for a message, cut at 64 of them.
pub(crate) fn quote(bytes: &[u8]) -> String {
    const MAX: usize = 64;
    match bytes.get(..MAX) {
        Some(start) if bytes.len() > MAX => format!("{}…", String::from_utf8_lossy(start)),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
