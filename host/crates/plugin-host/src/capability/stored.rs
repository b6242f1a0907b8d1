//! `stored`: what is stored already.

use std::collections::HashSet;

use pushgate_exposition::{GroupingKey, Label, Push};
use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

use super::{Capability, charge, enter};
use crate::Method;
use crate::bindings::pushgate::plugin::stored::{Families, Group, Series, Symbols};
use crate::bindings::pushgate::plugin::types;
use crate::instance::State;

/// What is stored, as far as plugins may look into it. Made by whoever has a store; this crate knows none.
pub trait Stored: Send + Sync {
    /// How many series the group under that key has, which is what reading it costs.
    fn series(&self, key: &GroupingKey) -> usize;

    /// The group under that key.
    fn group(&self, key: &GroupingKey) -> Option<Push>;

    /// How many values a label has in what is stored for a job.
    fn values(&self, job: &str, label: &str) -> u64;

    /// Whether a label has that value in what is stored for a job.
    fn contains(&self, job: &str, label: &str, value: &str) -> bool;

    /// What becomes of a label in the job of a key when a push to it brings these values.
    fn growth(&self, key: &GroupingKey, replaced: &Replaced, label: &str, values: &[String]) -> Growth;

    /// How many series a push leaves of the group under its key.
    fn kept_series(&self, key: &GroupingKey, replaced: &Replaced) -> u64;
}

/// What a push takes the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// Everything in its group.
    Group,
    /// Families of its group, by name.
    Families(HashSet<String>),
}

impl Replaced {
    pub(crate) fn by(push: &Push, method: Method) -> Self {
        match method {
            Method::Put | Method::Delete => Self::Group,
            Method::Post => Self::Families(push.families().map(|family| family.name().to_owned()).collect()),
        }
    }

    /// Whether a family of the group goes.
    pub fn contains(&self, family: &str) -> bool {
        match self {
            Self::Group => true,
            Self::Families(names) => names.contains(family),
        }
    }
}

/// What becomes of a label's values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// How many there are in the end.
    pub values: u64,
    /// For each one that comes, whether it is there already.
    pub known: Vec<bool>,
    /// How many stored labels had to be looked at to tell.
    pub looked_at: usize,
}

/// What reading a series back from the store and copying it costs: some 1 µs.
const SERIES: usize = 2_000;

pub(super) fn link(instance: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    instance.func_wrap("own-group", |mut store: StoreContextMut<'_, State>, (): ()| {
        let evaluation = enter(&mut store, Capability::Stored, 0)?;
        let Some(key) = evaluation.key.clone() else { return Ok((None,)) };
        let stored = evaluation.given.granted.stored.clone();
        charge(&mut store, stored.series(&key).saturating_mul(SERIES))?;
        Ok((stored.group(&key).as_ref().map(columns),))
    })
}

fn columns(push: &Push) -> Group {
    let (families, series) = (push.family_columns(), push.series_columns());
    let label = |label: &Label| types::Label { name: label.name, value: label.value };
    Group {
        grouping: push.grouping().iter().map(label).collect(),
        symbols: Symbols { bytes: push.symbols().bytes().to_vec(), ends: push.symbols().ends().to_vec() },
        families: Families {
            name: families.name.clone(),
            kind: families.kind.clone(),
            help: families.help.clone(),
            unit: families.unit.clone(),
            series_end: families.series_end.clone(),
        },
        series: Series {
            label_end: series.label_end.clone(),
            label_name: series.label_name.clone(),
            label_value: series.label_value.clone(),
            value: series.value.clone(),
            count: series.count.clone(),
            point_end: series.point_end.clone(),
            point_bound: series.point_bound.clone(),
            point_value: series.point_value.clone(),
        },
    }
}
