//! The bundled plugin `rules`, whose codes stand in the configuration: they are counted by their own names.

use e2e::gateway::entry;
use e2e::{Gateway, artifacts};

#[test]
fn codes_of_the_configuration_are_counted_by_their_own_names() {
    let rules = "[[plugin.config.rules]]\ncode = \"ratio\"\non = \"series\"\nmessage = \"mend this\"\n\
                 expr = \"int(series.labels.a) > 0\"\n";
    let gateway = Gateway::start(&entry("rules", &artifacts::plugin("rules"), rules));
    for (labels, status) in [("{a=\"1\"}", 200), ("{a=\"0\"}", 422), ("{a=\"0\"}", 422), ("", 422)] {
        gateway.put("/metrics/job/web", format!("m{labels} 1\n")).expect(status);
    }
    let scrape = gateway.scrape();
    for (code, count) in [("rules/ratio", 2.0), ("rules/error", 1.0), ("other", 0.0)] {
        let series = format!("pushgate_plugin_findings_total{{code=\"{code}\",plugin=\"rules\"}}");
        assert_eq!(scrape.value(&series), Some(count), "{code}");
    }
}
