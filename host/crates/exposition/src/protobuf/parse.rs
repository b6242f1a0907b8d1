//! Bytes to columns.
//!
//! The fields of a message come in any order, and a family that comes again replaces the one before. So the names are
//! read first, hopping over the metrics by their lengths; then each family's header in the same way, and then its
//! metrics.

use crate::protobuf::DecodeError;
use crate::protobuf::clash;
use crate::protobuf::error::Fault;
use crate::protobuf::exemplar::label_pair;
use crate::protobuf::sample::Sample;
use crate::protobuf::wire::{Reader, Wire};
use crate::text::quote;
use crate::{
    Bound, Builder, Flaw, GroupingKey, InternError, Kind, Label, Manners, Names, Objection, OverLimit, Place,
    Push, Rules, Sym,
};

/// Reads a stream that is pushed to the group of `key`. Names may be any text, whatever the rules say: that is how
/// the original Pushgateway takes them in this format, and scrapes escape them.
///
/// # Errors
/// The first place that cannot be decoded, or what there is too much of. The whole stream is refused then.
pub fn parse(body: &[u8], key: &GroupingKey, rules: &Rules) -> Result<Push, DecodeError> {
    let builder = Builder::new(key).map_err(|_| DecodeError {
        offset: 0,
        family: 1,
        name: None,
        problem: OverLimit::ARENA.into(),
    })?;
    run(body, builder, rules)
}

/// Reads a stream that belongs to no group, such as a scrape: every label is one of its series.
///
/// # Errors
/// As for [`parse`].
pub fn parse_exposed(body: &[u8], rules: &Rules) -> Result<Push, DecodeError> {
    run(body, Builder::without_group(), rules)
}

fn run(body: &[u8], builder: Builder, rules: &Rules) -> Result<Push, DecodeError> {
    let mut parser =
        Parser { rules, builder, latest: Vec::new(), family: 0, name: b"", metric: 0, labels: Vec::new() };
    match parser.stream(Reader::new(body)) {
        Ok(()) => {
            let mut push = parser.builder.finish();
            clash::object(&mut push);
            Ok(push)
        }
        Err(Fault { offset, problem }) => {
            let name = (!parser.name.is_empty()).then(|| quote(parser.name));
            Err(DecodeError { offset, family: parser.family, name, problem })
        }
    }
}

struct Parser<'a> {
    rules: &'a Rules,
    builder: Builder,
    /// By the symbol of a name, the number of the last family that has it.
    latest: Vec<u32>,
    /// The number of the family that is read, and its name as far as it is known.
    family: u32,
    name: &'a [u8],
    /// The number of the metric that is read, 0 before the first.
    metric: u32,
    /// Of that metric.
    labels: Vec<Label>,
}

/// What a family says about itself.
#[derive(Default)]
struct Header<'a> {
    name: &'a [u8],
    help: Option<&'a [u8]>,
    unit: &'a [u8],
    /// A counter, when nothing is said.
    kind: i32,
    has_metrics: bool,
}

/// Where the metrics of a family go.
#[derive(Clone, Copy)]
struct Target {
    family: u32,
    kind: Kind,
}

impl<'a> Parser<'a> {
    fn stream(&mut self, body: Reader<'a>) -> Result<(), Fault> {
        let mut families = body;
        while let Some(message) = self.next_family(&mut families)? {
            let header = Header::read(message)?;
            message.check(&self.rules.limits, Bound::NameLength, header.name.len())?;
            // A name that is no text is an objection later on.
            if let Some(name) = self.intern(message, header.name)? {
                let name = name as usize;
                self.latest.resize(self.latest.len().max(name + 1), 0);
                self.latest[name] = self.family;
            }
        }
        self.family = 0;
        let mut families = body;
        while let Some(message) = self.next_family(&mut families)? {
            self.read_family(message)?;
        }
        Ok(())
    }

    fn next_family(&mut self, families: &mut Reader<'a>) -> Result<Option<Reader<'a>>, Fault> {
        self.name = b"";
        self.metric = 0;
        if families.is_empty() {
            return Ok(None);
        }
        self.family = self.family.saturating_add(1);
        families.delimited().map(Some)
    }

    fn read_family(&mut self, mut message: Reader<'a>) -> Result<(), Fault> {
        let header = Header::read(message)?;
        self.name = header.name;
        let target = self.target(message, &header)?;
        while let Some((number, wire)) = message.field()? {
            if let (4, Wire::Bytes(metric)) = (number, wire) {
                self.metric = self.metric.saturating_add(1);
                match target {
                    Some(target) => self.read_metric(target, metric)?,
                    None => check_metric(self.rules, metric)?,
                }
            }
        }
        Ok(())
    }

    /// Where the metrics of a family go. Nowhere, when it has none, when another one comes to replace it, or when it
    /// may not be stored.
    fn target(&mut self, message: Reader<'a>, header: &Header<'a>) -> Result<Option<Target>, Fault> {
        if !header.has_metrics {
            return Ok(None);
        }
        let Some(name) = self.builder.find_symbol(header.name) else {
            self.object(Flaw::NotUtf8("name"));
            return Ok(None);
        };
        if self.latest.get(name as usize) != Some(&self.family) {
            return Ok(None);
        }
        if name == 0 {
            self.object(Flaw::NoName);
            return Ok(None);
        }
        let Some(kind) = kind_of_number(header.kind) else {
            self.object(Flaw::UnknownType(header.kind));
            return Ok(None);
        };
        message.check(&self.rules.limits, Bound::ValueLength, header.help.unwrap_or_default().len())?;
        message.check(&self.rules.limits, Bound::NameLength, header.unit.len())?;
        let Some(help) = self.intern(message, header.help.unwrap_or_default())? else {
            self.object(Flaw::NotUtf8("HELP text"));
            return Ok(None);
        };
        let Some(unit) = self.intern(message, header.unit)? else {
            self.object(Flaw::NotUtf8("unit"));
            return Ok(None);
        };
        let family = self.builder.family(name);
        self.builder.set_kind(family, kind);
        if header.help.is_some() {
            self.builder.set_help(family, help);
        }
        self.builder.set_unit(family, unit);
        Ok(Some(Target { family, kind }))
    }

    /// Reads a metric and adds it as a series, if there is no objection to it.
    fn read_metric(&mut self, target: Target, mut message: Reader<'a>) -> Result<(), Fault> {
        let limits = &self.rules.limits;
        let (mut sample, mut is_fit) = (Sample::default(), true);
        self.labels.clear();
        while let Some((number, wire)) = message.field()? {
            match (number, wire) {
                (1, Wire::Bytes(pair)) => {
                    pair.check(limits, Bound::Labels, self.labels.len() + 1)?;
                    is_fit &= self.read_label(target, pair)?;
                }
                (6, Wire::Varint(_)) if self.rules.manners == Manners::Strict => {
                    self.builder.object(Objection::Timestamp { place: self.place() });
                }
                (number, Wire::Bytes(value)) => match kind_of_value(number) {
                    Some(kind) if kind == kind_of_message(target.kind) => sample.read(kind, value, limits)?,
                    Some(kind) => Sample::default().read(kind, value, limits)?,
                    None => {}
                },
                _ => {}
            }
        }
        message.check(limits, Bound::Series, self.builder.series_count() + 1)?;
        if is_fit && let Err(flaw) = self.add(target, sample) {
            self.object(flaw);
        }
        Ok(())
    }

    /// Reads a label. False when there is an objection to it.
    fn read_label(&mut self, target: Target, pair: Reader<'a>) -> Result<bool, Fault> {
        let (name, value) = label_pair(pair, &self.rules.limits)?;
        let (Some(name), Some(value)) = (self.intern(pair, name)?, self.intern(pair, value)?) else {
            self.object(Flaw::NotUtf8("label"));
            return Ok(false);
        };
        let text = self.builder.symbols().get(name);
        let objection = if Names::Classic.allow_label(text) {
            match target.kind.point_label() {
                Some(label) if label == text => self.unfit(Flaw::PointLabel(label)),
                _ => {
                    self.labels.push(Label { name, value });
                    return Ok(true);
                }
            }
        } else if text.is_empty() {
            self.unfit(Flaw::NoLabelName)
        } else if text.starts_with("__") {
            Objection::ReservedLabel { place: self.place(), name: quote(text.as_bytes()) }
        } else {
            self.builder.note_utf8_label();
            self.labels.push(Label { name, value });
            return Ok(true);
        };
        self.builder.object(objection);
        Ok(false)
    }

    fn add(&mut self, target: Target, mut sample: Sample<'_>) -> Result<(), Flaw> {
        if !sample.is_present {
            return Err(Flaw::NoValue(target.kind));
        }
        let detail = sample.take_detail(target.kind)?;
        if !self.builder.sort_labels(&mut self.labels) {
            let twice = self.labels.windows(2).find(|pair| pair[0].name == pair[1].name);
            let name = twice.map_or(0, |pair| pair[0].name);
            return Err(Flaw::DuplicateLabel(quote(self.builder.symbols().get(name).as_bytes())));
        }
        let series = self.builder.series(target.family, &self.labels, sample.value);
        self.builder.set_count(series, sample.count.value());
        for point in sample.points {
            self.builder.point(series, point.bound, point.value);
        }
        if !detail.is_empty() {
            self.builder.set_detail(series, detail);
        }
        Ok(())
    }

    /// The symbol of a token, or none if it is not UTF-8.
    fn intern(&mut self, place: Reader<'a>, token: &[u8]) -> Result<Option<Sym>, Fault> {
        match self.builder.intern(token) {
            Ok(symbol) => Ok(Some(symbol)),
            Err(InternError::NotUtf8) => Ok(None),
            Err(InternError::Full) => Err(place.fault(OverLimit::ARENA.into())),
        }
    }

    /// Notes a flaw. Only the first one is told, so that the words are made once.
    fn object(&mut self, flaw: Flaw) {
        if !self.builder.has_objection() {
            self.builder.object(self.unfit(flaw));
        }
    }

    fn unfit(&self, flaw: Flaw) -> Objection {
        Objection::Unfit { place: self.place(), flaw }
    }

    /// What is read just now.
    fn place(&self) -> Place {
        match (self.name, self.metric) {
            (b"", _) => Place::Family(self.family),
            (name, 0) => Place::Named(quote(name)),
            (name, number) => Place::Metric { family: quote(name), number },
        }
    }
}

impl<'a> Header<'a> {
    fn read(mut message: Reader<'a>) -> Result<Self, Fault> {
        let mut header = Self::default();
        while let Some((number, wire)) = message.field()? {
            match (number, wire) {
                (1, Wire::Bytes(name)) => header.name = name.bytes(),
                (2, Wire::Bytes(help)) => header.help = Some(help.bytes()),
                (3, Wire::Varint(kind)) => header.kind = kind as i32,
                (4, Wire::Bytes(_)) => header.has_metrics = true,
                (5, Wire::Bytes(unit)) => header.unit = unit.bytes(),
                _ => {}
            }
        }
        Ok(header)
    }
}

/// Decodes a metric that is not kept, since what cannot be decoded is refused wherever it is.
fn check_metric(rules: &Rules, mut message: Reader<'_>) -> Result<(), Fault> {
    while let Some((number, wire)) = message.field()? {
        match (number, wire) {
            (1, Wire::Bytes(pair)) => {
                label_pair(pair, &rules.limits)?;
            }
            (number, Wire::Bytes(value)) => {
                if let Some(kind) = kind_of_value(number) {
                    Sample::default().read(kind, value, &rules.limits)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The type of a family, by its number in the format.
fn kind_of_number(number: i32) -> Option<Kind> {
    Some(match number {
        0 => Kind::Counter,
        1 => Kind::Gauge,
        2 => Kind::Summary,
        3 => Kind::Untyped,
        4 => Kind::Histogram,
        5 => Kind::GaugeHistogram,
        _ => return None,
    })
}

/// The kind of value that a field of a metric holds.
fn kind_of_value(field: u32) -> Option<Kind> {
    Some(match field {
        2 => Kind::Gauge,
        3 => Kind::Counter,
        4 => Kind::Summary,
        5 => Kind::Untyped,
        7 => Kind::Histogram,
        _ => return None,
    })
}

/// The kind of value that metrics of a family have: both sorts of histograms have the same.
fn kind_of_message(kind: Kind) -> Kind {
    if kind == Kind::GaugeHistogram { Kind::Histogram } else { kind }
}
