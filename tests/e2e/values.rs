//! The bundled plugin `values` where there is a time, and where there is much to look at: its golden cases have neither.

use std::time::{SystemTime, UNIX_EPOCH};

use e2e::gateway::entry;
use e2e::{Gateway, artifacts};

fn gateway(config: &str) -> Gateway {
    Gateway::start(&entry("values", &artifacts::plugin("values"), &format!("[plugin.config]\n{config}")))
}

#[test]
fn timestamps_are_held_against_the_time_of_the_push_without_a_grant() {
    let gateway = gateway(
        "timestamps = { past = \"reject\", max_age = \"1d\", future = \"reject\", max_ahead = \"1h\" }",
    );
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let url = "/metrics/job/web";
    for (timestamp, told) in [
        (now, ""),
        (now - 23 * 3_600, ""),
        (now - 25 * 3_600, "is 1d ago, and 1d are allowed"),
        (now + 2 * 3_600 + 60, "is 2h ahead, and 1h are allowed"),
        (now * 1_000, "are milliseconds since 1970, so divide by 1000"),
    ] {
        let answer = gateway.put(url, format!("last_run_timestamp_seconds {timestamp}\n"));
        assert_eq!(answer.status, if told.is_empty() { 200 } else { 422 }, "{timestamp}: {}", answer.text());
        assert!(answer.text().contains(told), "{timestamp}: {}", answer.text());
    }
}

/// What a hostile push costs stays within what the usual limits allow.
#[test]
fn large_histograms_are_judged_within_the_usual_fuel() {
    let gateway = gateway("");
    let histograms = |series: usize, buckets: usize, step: usize| {
        let mut body = String::from("# TYPE h histogram\n");
        for series in 0..series {
            for bucket in 0..buckets {
                let bound = bucket * step % buckets;
                body += &format!("h_bucket{{a=\"{series}\",le=\"{bound}\"}} {bound}\n");
            }
            body += &format!(
                "h_bucket{{a=\"{series}\",le=\"+Inf\"}} {buckets}\nh_count{{a=\"{series}\"}} {buckets}\n"
            );
        }
        body
    };
    // A step that has no divisor in common with the number of buckets shuffles them.
    for (what, body, status) in [
        ("as many as can be", histograms(1, 40_000, 1), 200),
        ("one bucket more, for what is allowed for the series", histograms(1, 40_300, 1), 422),
        ("as many as can be, in another order", histograms(100, 139, 38), 200),
        ("a few more", histograms(100, 140, 39), 422),
    ] {
        let answer = gateway.put("/metrics/job/web", body);
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
    }
    assert_eq!(gateway.scrape().sum("pushgate_plugin_faults_total", &[]), 0.0);
}
