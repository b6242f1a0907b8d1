//! Symbols and texts while rules run: those of the push, and those that rules make.

use std::collections::BTreeMap;

use pushgate_plugin::{Edits, Push, Sym};

/// The symbols of a push and of the edits that are to come.
///
/// Symbols of label names are unique, so that names are compared as numbers. A value that a rule makes may
/// be the text of a value that the push has, under another number: compare those with [`same_text`].
///
/// [`same_text`]: Self::same_text
pub(crate) struct Texts<'p> {
    push: &'p Push,
    pub(crate) edits: Edits,
    names: BTreeMap<&'p str, Sym>,
    /// Filled when a rule renames a metric.
    families: BTreeMap<&'p str, Sym>,
}

impl<'p> Texts<'p> {
    pub(crate) fn new(push: &'p Push) -> Self {
        let names = push.label_names().map(|name| (name.as_str(), name.sym())).collect();
        Self { push, edits: Edits::new(push), names, families: BTreeMap::new() }
    }

    /// The symbol of a label name.
    pub(crate) fn name(&mut self, text: &str) -> Sym {
        self.names.get(text).copied().unwrap_or_else(|| self.edits.symbol(text))
    }

    /// A symbol of a label value.
    pub(crate) fn value(&mut self, text: &str) -> Sym {
        self.edits.symbol(text)
    }

    /// The symbol of a metric name, by which names are compared.
    pub(crate) fn metric_name(&mut self, text: &str) -> Sym {
        if self.families.is_empty() {
            let names = self.push.families().map(|family| (family.name(), family.name_sym()));
            self.families = names.collect();
        }
        self.families.get(text).copied().unwrap_or_else(|| self.edits.symbol(text))
    }

    pub(crate) fn text(&self, sym: Sym) -> &str {
        self.edits.text(sym).unwrap_or_else(|| self.push.text(sym))
    }

    /// Whether two values are the same text.
    #[inline]
    pub(crate) fn same_text(&self, a: Sym, b: Sym) -> bool {
        if a == b || a == Sym::EMPTY || b == Sym::EMPTY {
            return a == b;
        }
        (self.is_made(a) || self.is_made(b)) && self.text(a) == self.text(b)
    }

    #[inline]
    fn is_made(&self, sym: Sym) -> bool {
        sym.index() >= self.push.symbol_count()
    }
}
