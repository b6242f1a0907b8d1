//! The log, on standard error, in the shape that the original's has: one line an event, first when, how severe, where
//! in the program and what, then fields.

use std::fmt::{self, Debug};
use std::path::Path;
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, registry};

use super::line::Line;
use super::timestamp::rfc3339;
use crate::config::{Format, Level, Log};

/// Starts the log of the process, once. Later calls change nothing: an embedding program may have a log of its own.
pub fn start_log(log: &Log) {
    let level = match log.level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    let layer = tracing_subscriber::fmt::layer().event_format(Lines(log.format)).with_writer(std::io::stderr);
    let _ = registry().with(layer.with_filter(level)).try_init();
}

/// Makes a line of each event.
struct Lines(Format);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let mut line = Line::new(self.0);
        line.text("ts", &rfc3339(SystemTime::now()));
        line.text("level", &metadata.level().as_str().to_ascii_lowercase());
        let file = metadata.file().and_then(|file| Path::new(file).file_name()?.to_str());
        let caller = format!("{}:{}", file.unwrap_or(metadata.target()), metadata.line().unwrap_or(0));
        line.text("caller", &caller);
        let mut message = Message(String::new());
        event.record(&mut message);
        line.text("msg", &message.0);
        event.record(&mut Fields(&mut line));
        writer.write_str(&line.finish())
    }
}

/// Takes the message, which stands before the fields wherever it was given.
struct Message(String);

const MESSAGE: &str = "message";

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == MESSAGE {
            self.0 = format!("{value:?}");
        }
    }
}

/// Adds everything else to the line.
struct Fields<'l>(&'l mut Line);

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.0.bare(field.name(), &value);
        } else {
            self.0.text(field.name(), &value.to_string());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.bare(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.bare(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.bare(field.name(), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.text(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() != MESSAGE {
            self.0.text(field.name(), &format!("{value:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tracing::{error, info};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What an event becomes, with the time and the line of the source taken out.
    fn logged(format: Format, event: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let layer =
            tracing_subscriber::fmt::layer().event_format(Lines(format)).with_writer(move || writer.clone());
        tracing::subscriber::with_default(registry().with(layer), event);
        let line = String::from_utf8(buffer.0.lock().clone()).unwrap();
        let digits = line.replace(|digit: char| digit.is_ascii_digit(), "0");
        digits.replace("log.rs:000", "log.rs:0")
    }

    #[test]
    fn a_line_has_the_shape_of_the_original() {
        let refused = || error!(method = "PUT", err = %"a b", "pushed metrics are invalid");
        assert_eq!(
            logged(Format::Logfmt, refused),
            "ts=0000-00-00T00:00:00.000Z level=error caller=log.rs:0 msg=\"pushed metrics are invalid\" \
             method=PUT err=\"a b\"\n"
        );
        assert_eq!(
            logged(Format::Json, refused),
            "{\"ts\":\"0000-00-00T00:00:00.000Z\",\"level\":\"error\",\"caller\":\"log.rs:0\",\
             \"msg\":\"pushed metrics are invalid\",\"method\":\"PUT\",\"err\":\"a b\"}\n"
        );
    }

    #[test]
    fn a_field_has_its_type() {
        let event =
            || info!(count = 1u64, less = -1, share = 0.5, none = f64::NAN, good = true, took = ?"x", "m");
        assert!(
            logged(Format::Json, event).ends_with(
                "\"msg\":\"m\",\"count\":0,\"less\":-0,\"share\":0.0,\"none\":\"NaN\",\"good\":true,\"took\":\"\\\"x\\\"\"}\n"
            ),
            "{}",
            logged(Format::Json, event)
        );
    }
}
