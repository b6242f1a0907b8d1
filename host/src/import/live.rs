//! Groups from a running gateway.
//!
//! Its API tells which series belong to which group, a scrape has their values in full. Between the two requests the
//! gateway goes on: groups that changed are asked for again.

use std::collections::{HashMap, HashSet};
use std::io::Read as _;

use anyhow::Context as _;
use pushgate_exposition::protobuf::{self, FamilyEncoder};
use pushgate_exposition::{Escaping, Family, GroupingKey, Names, Push, Rules, Series};

use super::Group;
use super::listing::{self, Listed};
use crate::remote::GatewayUrl;
use crate::store::{FAILURE_TIME, PUSH_TIME};

/// How often groups are asked for that change all the time.
const ATTEMPTS: usize = 5;

/// Bytes that are taken of a scrape.
const MAX_SCRAPE: u64 = 1 << 30;

/// What a scrape has of each group, by its place in the listing.
type Found<'a> = HashMap<usize, Vec<(Family<'a>, Series<'a>)>>;

/// The groups of a gateway. Those that cannot be had whole go to `refused`.
pub(super) fn groups(url: &GatewayUrl, refused: &mut Vec<String>) -> anyhow::Result<Vec<Group>> {
    let (mut groups, mut done) = (Vec::new(), HashSet::new());
    let mut changing = Vec::new();
    for _ in 0..ATTEMPTS {
        changing.clear();
        let listed = listing::read(url.get("/api/v1/metrics", "application/json")?)
            .with_context(|| format!("{url}/api/v1/metrics is not the listing of a Pushgateway"))?;
        let scrape = scrape(url)?;
        let mut found = by_group(&listed, &scrape);
        for (number, listed) in listed.iter().enumerate() {
            if done.contains(&listed.labels) {
                continue;
            }
            let key = match GroupingKey::with_names(listed.labels.clone(), Names::Utf8) {
                Ok(key) => key,
                Err(error) => {
                    refused.push(format!("{:?}: {error}", listed.labels));
                    done.insert(listed.labels.clone());
                    continue;
                }
            };
            let series = found.remove(&number).unwrap_or_default();
            if series.len() == listed.series.len() {
                groups.push(Group { key, times: listed.times, body: encode(&series) });
                done.insert(listed.labels.clone());
            } else {
                changing.push(key);
            }
        }
        if changing.is_empty() {
            break;
        }
    }
    refused
        .extend(changing.iter().map(|key| format!("{key}: it changed each time it was read; import again")));
    Ok(groups)
}

fn scrape(url: &GatewayUrl) -> anyhow::Result<Push> {
    let accept = format!("{};escaping={}", protobuf::CONTENT_TYPE, Escaping::AllowUtf8.as_str());
    let mut body = Vec::new();
    url.get("/metrics", &accept)?.take(MAX_SCRAPE).read_to_end(&mut body).context("the scrape broke off")?;
    let rules = Rules { names: Names::Utf8, ..Rules::default() };
    protobuf::parse_exposed(&body, &rules).with_context(|| format!("{url}/metrics is not protobuf"))
}

fn by_group<'a>(listed: &[Listed], scrape: &'a Push) -> Found<'a> {
    let owners: HashMap<u64, usize> = (listed.iter().enumerate())
        .flat_map(|(number, group)| group.series.iter().map(move |&series| (series, number)))
        .collect();
    let mut found = Found::new();
    for family in scrape.families().filter(|family| ![PUSH_TIME, FAILURE_TIME].contains(&family.name())) {
        for series in family.series() {
            if let Some(&group) = owners.get(&listing::series(family.name(), series.labels())) {
                found.entry(group).or_default().push((family, series));
            }
        }
    }
    found
}

/// Series that stand by family, as delimited protobuf.
fn encode(series: &[(Family<'_>, Series<'_>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for family in series.chunk_by(|(one, _), (other, _)| one.index() == other.index()) {
        let Some((first, _)) = family.first() else { continue };
        let mut encoder =
            FamilyEncoder::new(&mut body, first.name(), first.help(), first.kind(), Escaping::AllowUtf8);
        family.iter().for_each(|(_, series)| encoder.series(*series));
        encoder.finish();
    }
    body
}
