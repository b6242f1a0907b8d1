//! Writes metrics into the columns that pushes have, so that the same encoders serve both.

use std::sync::atomic::{AtomicU64, Ordering};

use pushgate_exposition::{Builder, InternError, Kind, Label, Push};

use super::histogram::Histogram;

/// Writes families one after the other. One that gets no series is not shown.
pub(super) struct Writer {
    builder: Builder,
}

impl Writer {
    pub(super) fn new() -> Self {
        // The gateway's own metrics are in no group.
        Self { builder: Builder::without_group() }
    }

    pub(super) fn finish(self) -> Push {
        self.builder.finish()
    }

    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) -> Result<u32, InternError> {
        let name = self.builder.intern(name.as_bytes())?;
        let help = self.builder.intern(help.as_bytes())?;
        let family = self.builder.family(name);
        self.builder.set_kind(family, kind);
        self.builder.set_help(family, help);
        Ok(family)
    }

    /// Labels, given in order of their names.
    fn labels(&mut self, labels: &[(&str, &str)]) -> Result<Vec<Label>, InternError> {
        let mut symbol = |text: &str| self.builder.intern(text.as_bytes());
        labels.iter().map(|(name, value)| Ok(Label { name: symbol(name)?, value: symbol(value)? })).collect()
    }

    pub(super) fn value(
        &mut self,
        family: u32,
        labels: &[(&str, &str)],
        value: f64,
    ) -> Result<(), InternError> {
        let labels = self.labels(labels)?;
        self.builder.series(family, &labels, value);
        Ok(())
    }

    pub(super) fn count(
        &mut self,
        family: u32,
        labels: &[(&str, &str)],
        count: &AtomicU64,
    ) -> Result<(), InternError> {
        self.value(family, labels, count.load(Ordering::Relaxed) as f64)
    }

    /// A whole family of one series without labels.
    pub(super) fn single(
        &mut self,
        name: &str,
        kind: Kind,
        help: &str,
        value: f64,
    ) -> Result<(), InternError> {
        let family = self.family(name, kind, help)?;
        self.value(family, &[], value)
    }

    pub(super) fn histogram(
        &mut self,
        family: u32,
        labels: &[(&str, &str)],
        histogram: &Histogram,
    ) -> Result<(), InternError> {
        let labels = self.labels(labels)?;
        histogram.write(&mut self.builder, family, &labels);
        Ok(())
    }

    pub(super) fn summary(
        &mut self,
        family: u32,
        labels: &[(&str, &str)],
        quantiles: impl Iterator<Item = (f64, f64)>,
        sum: f64,
        count: u64,
    ) -> Result<(), InternError> {
        let labels = self.labels(labels)?;
        let series = self.builder.series(family, &labels, sum);
        quantiles.for_each(|(rank, value)| self.builder.point(series, rank, value));
        self.builder.set_count(series, count as f64);
        Ok(())
    }
}
