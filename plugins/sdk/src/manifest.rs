//! What a plugin says about itself before it is configured.

use crate::Counter;
use crate::bindings::policy;

/// What a plugin is, as constants: the host asks for it once, before any configuration.
///
/// ```
/// use pushgate_plugin::{Code, Column, Manifest};
///
/// const NO_HELP: Code = Code::new("docs/no-help", "every family has a HELP text");
/// const MANIFEST: Manifest = Manifest::new("docs", "1.0.0", "Families explain themselves.")
///     .wants(&[Column::Help])
///     .pure()
///     .codes(&[NO_HELP]);
/// assert_eq!(MANIFEST.name(), "docs");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Manifest {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) wants: &'static [Column],
    pub(crate) mutates: bool,
    pub(crate) pure: bool,
    pub(crate) codes: &'static [Code],
    pub(crate) counters: &'static [Counter],
}

impl Manifest {
    /// A manifest of a plugin that wants no optional column, never mutates and may depend on more than
    /// its configuration and the push. `summary` is one line for people.
    ///
    /// ```
    /// # use pushgate_plugin::Manifest;
    /// const MANIFEST: Manifest = Manifest::new("team", env!("CARGO_PKG_VERSION"), "Every series has an owner.");
    /// ```
    pub const fn new(name: &'static str, version: &'static str, summary: &'static str) -> Self {
        Self { name, version, summary, wants: &[], mutates: false, pure: false, codes: &[], counters: &[] }
    }

    /// The optional columns that `evaluate` reads. Those not named here never cross the boundary, and
    /// their accessors answer `None`.
    ///
    /// ```
    /// # use pushgate_plugin::{Column, Manifest};
    /// const MANIFEST: Manifest = Manifest::new("limits", "1.0.0", "Values stay in bounds.").wants(&[Column::Values]);
    /// ```
    pub const fn wants(mut self, columns: &'static [Column]) -> Self {
        self.wants = columns;
        self
    }

    /// The plugin may answer with [`Edits`](crate::Edits).
    ///
    /// ```
    /// # use pushgate_plugin::Manifest;
    /// const MANIFEST: Manifest = Manifest::new("stamp", "1.0.0", "Adds a label.").mutates();
    /// ```
    pub const fn mutates(mut self) -> Self {
        self.mutates = true;
        self
    }

    /// The outcome depends on nothing but the configuration, the columns asked for, the grouping key, the method and
    /// the attributes: not on the time of arrival or the id of the push, which are not told, nor on earlier
    /// pushes. If neither values nor points are wanted, the host remembers the outcome and does not call the plugin for
    /// a push of the same names and labels. A plugin that is caught at an outcome that differs is not believed
    /// any more.
    ///
    /// ```
    /// # use pushgate_plugin::Manifest;
    /// const MANIFEST: Manifest = Manifest::new("team", "1.0.0", "Every series has an owner.").pure();
    /// ```
    pub const fn pure(mut self) -> Self {
        self.pure = true;
        self
    }

    /// Every code that a finding of this plugin may carry.
    ///
    /// ```
    /// # use pushgate_plugin::{Code, Manifest};
    /// const MANIFEST: Manifest = Manifest::new("team", "1.0.0", "Every series has an owner.")
    ///     .codes(&[Code::new("team/missing", "a series has no owner")]);
    /// ```
    pub const fn codes(mut self, codes: &'static [Code]) -> Self {
        self.codes = codes;
        self
    }

    /// Every [`Counter`] of this plugin. Counting needs the grant `metrics`.
    ///
    /// ```
    /// # use pushgate_plugin::{Counter, Manifest};
    /// const RENAMED: Counter = Counter::new("renamed", "Labels that were renamed.", &[]);
    /// const MANIFEST: Manifest = Manifest::new("short", "1.0.0", "Labels have short names.").counters(&[RENAMED]);
    /// ```
    pub const fn counters(mut self, counters: &'static [Counter]) -> Self {
        self.counters = counters;
        self
    }

    /// The plugin's name, the first part of its codes.
    ///
    /// ```
    /// # use pushgate_plugin::Manifest;
    /// assert_eq!(Manifest::new("team", "1.0.0", "Every series has an owner.").name(), "team");
    /// ```
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The manifest as it crosses the boundary.
    pub(crate) fn to_wire(self, config_schema: String) -> policy::Manifest {
        let counter = |counter: &Counter| policy::Counter {
            name: counter.name.to_owned(),
            help: counter.help.to_owned(),
            labels: counter.labels.iter().map(|&label| label.to_owned()).collect(),
        };
        policy::Manifest {
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            summary: self.summary.to_owned(),
            config_schema: Some(config_schema),
            wants: self.wants.iter().map(|column| column.name().to_owned()).collect(),
            mutates: self.mutates,
            pure: self.pure,
            codes: self
                .codes
                .iter()
                .map(|code| policy::Code { id: code.id.to_owned(), meaning: code.meaning.to_owned() })
                .collect(),
            counters: self.counters.iter().map(counter).collect(),
        }
    }
}

/// The stable name of something a plugin finds: `"<plugin>/<what-is-wrong>"`.
///
/// Dashboards count findings by it and people search for it, so it never changes once released.
///
/// ```
/// use pushgate_plugin::Code;
///
/// const NO_TEAM: Code = Code::new("team/missing", "every series says which team owns it");
/// assert_eq!(NO_TEAM.id(), "team/missing");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    id: &'static str,
    meaning: &'static str,
}

impl Code {
    /// A code and, for people, what it means in general.
    ///
    /// ```
    /// # use pushgate_plugin::Code;
    /// const CODE: Code = Code::new("naming/snake-case", "names are written in snake_case");
    /// ```
    pub const fn new(id: &'static str, meaning: &'static str) -> Self {
        Self { id, meaning }
    }

    /// The code itself.
    ///
    /// ```
    /// # use pushgate_plugin::Code;
    /// assert_eq!(Code::new("team/missing", "a series has no owner").id(), "team/missing");
    /// ```
    pub const fn id(&self) -> &'static str {
        self.id
    }
}

/// A column that crosses the boundary only when a plugin asks for it.
///
/// ```
/// use pushgate_plugin::{Column, Manifest};
///
/// const MANIFEST: Manifest = Manifest::new("sane", "1.0.0", "No infinities.").wants(&[Column::Values]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// HELP texts.
    Help,
    /// Units, for formats that have them.
    Unit,
    /// Values, sums and counts.
    Values,
    /// Buckets and quantiles.
    Points,
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Unit => "unit",
            Self::Values => "values",
            Self::Points => "points",
        }
    }
}
