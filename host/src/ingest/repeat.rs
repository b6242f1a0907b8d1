//! Pushes that are the last one of their group with other numbers, as most of them are: a job counts on, and its labels
//! stay the same.
//!
//! Nothing of such a push has to be read but its numbers. That it can be read, what policies make of it and that its lines
//! can be shown is known of the one before, and its lines are those of that one. It is sure since its text without the
//! numbers has the same fingerprint, and all policies that were asked answer by nothing else. A push of which this cannot be
//! said goes the long way, and leaves behind what the next one needs.

use pushgate_exposition::text::{self, Outline};
use pushgate_exposition::{Family, Kind, Manners, Push};
use pushgate_plugin_host::{Chain, Fingerprint, Method, Report, Request, Verdict};

use super::{Accepted, BodyFormat, Ingest, IngestError, Policies, PushRequest, mode_of};
use crate::store::{Arrival, GroupName, LastPush, Learned, Mode, Numbered, RenderedFamily};
use crate::telemetry::Recording;

/// Larger bodies are looked at each time: to take one apart takes its memory again.
const MAX_BODY: usize = 1 << 20;

/// A push that may be one like the one before, or like the next one.
pub(super) struct Repeat {
    group: GroupName,
    outline: Outline,
    fingerprint: Fingerprint,
    /// The one before, if this is the same but for its numbers.
    last: Option<LastPush>,
}

/// What the next push may need of one that is on its way.
pub(super) struct Learning<'a> {
    numbered: Numbered<'a>,
    fingerprint: Fingerprint,
}

/// What a push brings that is the one before with other numbers.
pub(super) struct Again {
    group: GroupName,
    last: LastPush,
    families: Vec<RenderedFamily>,
    /// What policies do with it.
    reports: Vec<Report>,
    /// When it arrived, in seconds since 1970.
    at: f64,
}

impl Ingest {
    /// The push beside the last one of its group. Not one that must be looked at each time it comes.
    pub(super) fn repeat(&self, policies: &Policies, request: &PushRequest) -> Option<Repeat> {
        let may_repeat = request.format == BodyFormat::Text
            && request.method != Method::Delete
            && request.restore.is_none()
            && request.body.len() <= MAX_BODY
            && self.rules.manners == Manners::Strict
            && policies.chain.may_have_routines();
        let outline = if may_repeat { Outline::of(&request.body)? } else { return None };
        let sent =
            Request { id: "", method: request.method, received_ms: 0, attributes: &request.attributes };
        let fingerprint = Fingerprint::of(outline.text(), &request.key, sent);
        let group = GroupName::from(request.key.clone());
        let is_same = |last: &LastPush| last.template.learned.fingerprint == fingerprint;
        let last = self.store.last_push(&group).filter(is_same);
        Some(Repeat { group, outline, fingerprint, last })
    }

    /// Stores a push that is the one before with other numbers.
    pub(super) fn take_again(
        &self,
        policies: &Policies,
        request: &PushRequest,
        Again { group, last, families, reports, at }: Again,
        recording: &mut Recording,
    ) -> Result<Accepted, IngestError> {
        recording.policies(&policies.chain, &reports);
        policies.metrics.count(&policies.chain, &reports, &request.id);
        let ttl = request.wish.and_then(|wish| self.store.ttl(request.key.job(), Some(wish)));
        let mode = mode_of(request.method).unwrap_or(Mode::Replace);
        let arrival = Arrival { at, wish: request.wish };
        let began = recording.now();
        let stored = self.store.push_again(group, mode, families, arrival, last.template);
        recording.step("store", began);
        let receipt = stored.inspect_err(|refusal| self.expose(refusal, || request.key.clone()))?;
        Ok(Accepted { findings: Vec::new(), ttl, receipt })
    }

    /// The push, and what there is to be learned from it for the next one.
    pub(super) fn parse_learning<'r>(
        &self,
        request: &PushRequest,
        repeat: Option<&'r Repeat>,
    ) -> Result<(Push, Option<Learning<'r>>), IngestError> {
        if let Some(Repeat { outline, fingerprint, .. }) = repeat
            && let Ok(numbered) = text::parse(&outline.numbered(), &request.key, &self.rules)
            && let Some(push) = numbered.with_numbers(outline.numbers())
        {
            let has_counts = !push.families().map(Family::kind).all(Kind::is_simple);
            let numbered = Numbered { push: numbered, numbers: outline.numbers(), has_counts };
            return Ok((push, Some(Learning { numbered, fingerprint: *fingerprint })));
        }
        Ok((self.parse(request)?, None))
    }
}

impl Repeat {
    /// What there is to be stored, if that is known without looking at the push.
    pub(super) fn again(&mut self, policies: &Policies, at: f64) -> Option<Again> {
        let last = self.last.take()?;
        let families = last.fill(self.outline.numbers(), at)?;
        let reports = policies.chain.follow(&last.template.learned.routine)?;
        Some(Again { group: self.group.clone(), last, families, reports, at })
    }
}

impl<'a> Learning<'a> {
    /// The push as policies with that verdict have left it, and what they made of it, if it is always that.
    pub(super) fn learned(self, chain: &Chain, verdict: &Verdict) -> Option<(Numbered<'a>, Learned)> {
        let Self { mut numbered, fingerprint } = self;
        let routine = chain.routine(verdict)?;
        for edited in verdict.reports.iter().filter_map(|report| report.edited.as_deref()) {
            numbered.push.apply(&edited.patch).ok()?;
        }
        Some((numbered, Learned { fingerprint, routine }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;
    use pushgate_exposition::{GroupingKey, Rules};

    use super::*;
    use crate::config;
    use crate::ingest::Consistency;
    use crate::journal::InMemory;
    use crate::policies::Loaded;
    use crate::rejections::Rejections;
    use crate::store::{Chunk, FamilySnapshot, Limits, Store};
    use crate::telemetry::{Metrics, own_families};

    fn store() -> Arc<Store> {
        Arc::new(Store::new(Limits { groups: 9, series: 90 }, own_families(), Box::new(InMemory)))
    }

    fn ingest(store: &Arc<Store>) -> Ingest {
        let (metrics, rejections) =
            (Arc::new(Metrics::new()), Arc::new(Rejections::new(&config::Rejections::default())));
        let loaded = Loaded::default();
        Ingest::new(loaded, store.clone(), metrics, rejections, Rules::default(), Consistency::Checked, 1)
    }

    fn request(method: Method, job: &str, body: &str, at: u64) -> PushRequest {
        PushRequest {
            method,
            key: GroupingKey::new([("job", job.to_owned())]).unwrap(),
            format: BodyFormat::Text,
            body: body.to_owned().into(),
            received_at: UNIX_EPOCH + Duration::from_secs(at),
            restore: None,
            wish: None,
            id: String::new(),
            parent: None,
            attributes: Vec::new(),
        }
    }

    /// All that is stored, by what a scrape is made of.
    fn shown(store: &Store) -> Vec<String> {
        let snapshot = store.snapshot();
        let family = |family: FamilySnapshot<'_>| {
            let chunk = |chunk: &Chunk| {
                let (help, at, series) = (chunk.help(), chunk.pushed_at(), chunk.series_count());
                format!("{help:?} {at} {series} {}", chunk.text())
            };
            format!("{} {:?} {:?}", family.name, family.kind, family.chunks().map(chunk).collect::<Vec<_>>())
        };
        snapshot
            .families()
            .map(family)
            .chain([format!("{:?} {}", store.size(), snapshot.text_len())])
            .collect()
    }

    /// Bodies of one outline with any numbers, most of which can stand there.
    fn bodies() -> impl Strategy<Value = Vec<String>> {
        let number = prop_oneof![
            4 => (0..2_000_000u32).prop_map(|number| number.to_string()),
            1 => any::<f64>().prop_filter("Go refuses a NaN with a sign", |number| !number.is_nan()).prop_map(|number| number.to_string()),
            1 => prop::sample::select(&["-1", "0.5", "NaN", "+Inf", "-0", "1e6", "1e300"][..]).prop_map(str::to_owned),
        ];
        let outline = prop::sample::select(
            &[
                "# TYPE a counter\n# HELP a Help.\na{x=\"2\",b=\"q \\\" 7\"} #\na{x=\"1\"} #\na{x=\"0\",instance=\"i\"} #\n",
                "a{x=\"1\"} #\na{job=\"hidden\",x=\"2\"} #\nb #\n",
                "b #\n",
                "# TYPE h histogram\nh_bucket{le=\"1\"} #\nh_sum #\nh_count #\nc #\n",
                "# TYPE h histogram\nh_bucket{le=\"1\"} #\nh_bucket{le=\"+Inf\"} #\nh_sum #\n",
                "# TYPE h histogram\nh_count #\nh_count #\n",
                "# TYPE s summary\ns{quantile=\"0.5\"} #\ns_sum{} #\ns_count #\n# a comment 5\n",
                "push_time_seconds #\nb #\npush_failure_time_seconds #\n",
                "a{x=\"1\"} #\na{x=\"1\"} #\n",
                "a 1 #\n",
                "",
            ][..],
        );
        let numbers = prop::collection::vec(prop::collection::vec(number, 4), 1..5);
        (outline, numbers).prop_map(|(outline, numbers)| {
            numbers.into_iter().map(|numbers| with_numbers(outline, numbers)).collect()
        })
    }

    /// The outline with numbers in the places of its signs that end a line.
    fn with_numbers(outline: &str, numbers: Vec<String>) -> String {
        let mut numbers = numbers.into_iter();
        let lines = outline.split_inclusive('\n').map(|line| match line.strip_suffix("#\n") {
            Some(label) => format!("{label}{}\n", numbers.next().unwrap()),
            None => line.to_owned(),
        });
        lines.collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_push_that_repeats_another_stores_what_it_would_have_stored(
            pushes in prop::collection::vec((prop::bool::weighted(0.8), prop::sample::select(&["i", "j"][..]), bodies()), 1..6),
        ) {
            let (store, plain) = (store(), store());
            let ingest = ingest(&store);
            let mut at = 0;
            for (is_put, job, bodies) in pushes {
                let method = if is_put { Method::Put } else { Method::Post };
                for body in bodies {
                    at += 1;
                    let request = request(method, job, &body, at);
                    let taken = ingest.take(&request).map_err(|error| format!("{error:?}"));
                    let expected = ingest.parse(&request).and_then(|push| {
                        let mode = mode_of(method).unwrap();
                        plain.push(&push, mode, at as f64).map_err(Into::into)
                    });
                    prop_assert_eq!(taken.map(drop), expected.map(drop).map_err(|error| format!("{error:?}")), "{}", body);
                    prop_assert_eq!(shown(&store), shown(&plain), "{}", body);
                }
            }
        }
    }

    #[test]
    fn the_second_push_of_an_outline_is_not_read() {
        let store = store();
        let ingest = ingest(&store);
        let is_known = |method, job, body: &str| {
            let request = request(method, job, body, 9);
            let policies = ingest.policies();
            let repeat = ingest.repeat(&policies, &request);
            let is_known = repeat.is_some_and(|mut repeat| repeat.again(&policies, 9.0).is_some());
            ingest.take(&request).unwrap();
            is_known
        };
        let (put, post) = (Method::Put, Method::Post);
        let body = |number: &str, count: &str| format!("a {number}\n# TYPE h histogram\nh_count {count}\n");
        assert!(!is_known(put, "j", &body("1", "2")));
        assert!(is_known(put, "j", &body("1.5", "3")));
        assert!(!is_known(put, "j", &body("1", "2.5")), "a count that is no whole number");
        for (is_other, method, job) in [("job", put, "i"), ("method", post, "j"), ("method", put, "j")] {
            let known = [1, 2].map(|number| is_known(method, job, &body("1", &number.to_string())));
            assert_eq!(known, [false, true], "another {is_other}");
        }
        ingest.replace_policies(Loaded::default());
        assert_eq!(["1", "2"].map(|number| is_known(put, "j", &body(number, "1"))), [false, true]);
        ingest.take(&request(Method::Delete, "j", "", 9)).unwrap();
        assert!(!is_known(put, "j", &body("1", "1")), "the group is gone");
    }
}
