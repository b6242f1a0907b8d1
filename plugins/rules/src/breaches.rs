//! What breaks one rule.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use pushgate_plugin::{Finding, Findings, MAX_FINDINGS};

use crate::input::Subject;

/// What breaks one rule in one push. Where many break it in the same words, the first one is told of, and how many
/// there are.
#[derive(Debug, Default)]
pub(crate) struct Breaches<'p> {
    found: Vec<Breach<'p>>,
    by_message: HashMap<String, usize, FixedState>,
    left_out: usize,
}

#[derive(Debug)]
struct Breach<'p> {
    message: String,
    first: Subject<'p>,
    count: usize,
}

impl<'p> Breaches<'p> {
    /// Adds one. A message that is the same for all is made once only.
    pub(crate) fn add(&mut self, subject: Subject<'p>, is_constant: bool, message: impl FnOnce() -> String) {
        if let Some(breach) = self.found.first_mut().filter(|_| is_constant) {
            breach.count += 1;
        } else if self.found.len() == MAX_FINDINGS {
            self.left_out += 1;
        } else {
            let message = message();
            match self.by_message.get(&message) {
                Some(&index) => self.found[index].count += 1,
                None => {
                    self.by_message.insert(message.clone(), self.found.len());
                    self.found.push(Breach { message, first: subject, count: 1 });
                }
            }
        }
    }

    pub(crate) fn report(self, findings: &mut Findings, finding: impl Fn(String) -> Finding) {
        for Breach { message, first, count } in self.found {
            findings.add(|| {
                let message = match count {
                    1 => message,
                    _ => format!("{message} ({count} of these)"),
                };
                let mut finding = finding(message);
                if let Some(name) = first.label.and_then(|label| label.symbol) {
                    finding = finding.at_label(name);
                }
                match (first.series, first.family) {
                    (Some(series), _) => finding.at_series(series),
                    (None, Some(family)) => finding.at_family(family),
                    (None, None) => finding,
                }
            });
        }
        // Past the most that there may be they are only counted, and this is not called.
        (0..self.left_out).for_each(|_| findings.add(|| finding(String::new())));
    }
}
