//! How many requests were refused for want of a right.

use std::sync::atomic::{AtomicU64, Ordering};

use pushgate_exposition::{InternError, Kind};

use super::writer::Writer;
use crate::config::Right;

/// Counts requests that nobody had granted.
#[derive(Debug, Default)]
pub(super) struct RightsMetrics {
    /// In the order of [`Right::ALL`].
    refused: [AtomicU64; Right::ALL.len()],
}

impl RightsMetrics {
    pub(super) fn refused(&self, right: Right) {
        let counts = Right::ALL.into_iter().zip(&self.refused);
        counts.filter(|(other, _)| *other == right).for_each(|(_, count)| {
            count.fetch_add(1, Ordering::Relaxed);
        });
    }

    pub(super) fn write(&self, out: &mut Writer) -> Result<(), InternError> {
        let help =
            "Requests that were refused as no entry of [[rights]] grants them, by the verb that they needed.";
        let family = out.family("pushgate_rights_refused_total", Kind::Counter, help)?;
        for (right, count) in Right::ALL.into_iter().zip(&self.refused) {
            out.value(family, &[("verb", right.as_str())], count.load(Ordering::Relaxed) as f64)?;
        }
        Ok(())
    }
}
