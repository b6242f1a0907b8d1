//! The checks, and what becomes of what they find.

use pushgate_plugin::Code;

use crate::config::Action;

/// Something that is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Nan,
    Infinity,
    NegativeCounter,
    BucketOrder,
    MissingInf,
    CountMismatch,
    NegativeSum,
    SumMismatch,
    QuantileOrder,
    QuantileRange,
    TimestampUnit,
    TimestampPast,
    TimestampFuture,
    Range,
    TooManyPoints,
}

/// How many there are.
pub(crate) const CHECKS: usize = Check::TooManyPoints as usize + 1;

/// Their codes, in their order.
pub(crate) static ALL_CODES: [Code; CHECKS] = [
    Code::new("values/nan", "a value is NaN"),
    Code::new("values/infinity", "a value is infinite"),
    Code::new("values/negative-counter", "a counter is below 0"),
    Code::new("values/bucket-order", "a bucket counts less than one below it"),
    Code::new("values/missing-inf", "a histogram has no bucket +Inf"),
    Code::new("values/count-mismatch", "the count of a histogram is not what its buckets count"),
    Code::new("values/negative-sum", "the sum of a histogram or summary is below 0, and no observation is"),
    Code::new("values/sum-mismatch", "the sum of a histogram cannot be that of what its buckets count"),
    Code::new("values/quantile-order", "a quantile has a lower value than one below it"),
    Code::new("values/quantile-range", "a quantile is not between 0 and 1"),
    Code::new("values/timestamp-unit", "a timestamp is not in seconds"),
    Code::new("values/timestamp-past", "a timestamp is too long ago"),
    Code::new("values/timestamp-future", "a timestamp is too far ahead"),
    Code::new("values/range", "a value is out of the range of its metric"),
    Code::new("values/too-many-points", "a push has more buckets and quantiles than can be judged"),
];

impl Check {
    pub(crate) fn code(self) -> &'static Code {
        &ALL_CODES[self as usize]
    }
}

/// What becomes of what each check finds; nothing for one that is off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Actions([Option<Act>; CHECKS]);

/// What becomes of a series with a value that cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Warn,
    Drop,
    Reject,
}

impl Act {
    /// Nothing for what is not looked for.
    pub(crate) fn of(action: Action) -> Option<Self> {
        match action {
            Action::Off => None,
            Action::Warn => Some(Self::Warn),
            Action::Drop => Some(Self::Drop),
            Action::Reject => Some(Self::Reject),
        }
    }
}

impl Actions {
    pub(crate) fn set(&mut self, check: Check, action: Action) {
        self.0[check as usize] = Act::of(action);
    }

    pub(crate) fn of(&self, check: Check) -> Option<Act> {
        self.0[check as usize]
    }
}
