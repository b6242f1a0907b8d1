//! Pushes that are the one before with other numbers go a short way. What is stored, told and counted must be the same as on
//! the long one.

use e2e::gateway::entry;
use e2e::{Gateway, Scrape, artifacts};

/// Policies that edit, reject and remark, each by names and labels only.
fn policies() -> String {
    let relabel = "config = { rules = [\
        { action = \"labelmap\", regex = \"environment\", replacement = \"env\" }, \
        { action = \"labeldrop\", regex = \"environment\" }, \
        { source_labels = [\"__name__\"], regex = \"dropped.*\", action = \"drop\" }] }";
    [
        entry("relabel", &artifacts::plugin("relabel"), relabel),
        entry("naming", &artifacts::plugin("naming"), "config = { counter_suffix = true }"),
        entry(
            "watching",
            &artifacts::plugin("required-labels"),
            "mode = \"monitor\"\nconfig = { required = [\"team\"] }",
        ),
        entry("elsewhere", &artifacts::plugin("required-labels"), "match = { job = \"other\" }"),
    ]
    .concat()
}

/// What is stored, without the times, and what is counted of plugins, without what tells the ways apart.
fn told(scrape: &Scrape) -> Vec<String> {
    let counted =
        ["evaluations_total", "edits_total", "findings_total", "faults_total", "duration_seconds_count"];
    let is_told = |line: &&str| {
        let counts = counted.iter().any(|count| line.starts_with(&format!("pushgate_plugin_{count}")));
        let varies = ["push", "process_", "go_"].iter().any(|own| line.starts_with(own));
        !line.starts_with('#') && (counts || !varies)
    };
    let mut lines: Vec<_> = scrape.text().lines().filter(is_told).map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

/// The bodies of a job that counts on, of one that changes its labels now and then, and of one that comes with what policies
/// speak against.
fn bodies(round: usize) -> [(&'static str, String); 5] {
    let histogram = |counts: [usize; 3]| {
        let [low, all, sum] = counts;
        format!(
            "# TYPE took_seconds histogram\ntook_seconds_bucket{{team=\"x\",le=\"1\"}} {low}\ntook_seconds_bucket{{team=\"x\",le=\"+Inf\"}} {all}\n\
             took_seconds_sum{{team=\"x\"}} {sum}.5\ntook_seconds_count{{team=\"x\"}} {all}\n"
        )
    };
    [
        (
            "/metrics/job/counts",
            format!(
                "# TYPE runs_total counter\nruns_total{{environment=\"b\",team=\"x\"}} {round}\nruns_total{{environment=\"a\",team=\"x\"}} 1e{round}\n"
            ),
        ),
        (
            "/metrics/job/drops/shift/night",
            format!(
                "dropped_one{{team=\"x\"}} {round}\nkept{{team=\"x\",a=\"# 7 \\\" 8\"}} -{round}.25\n{}",
                histogram([round, 2 * round, 5])
            ),
        ),
        ("/metrics/job/changes", format!("up_since{{team=\"x\",version=\"{}\"}} {round}\n", round / 3)),
        ("/metrics/job/other", format!("lacks_team {round}\n")),
        ("/metrics/job/rejected", format!("badName{{team=\"x\"}} {round}\n")),
    ]
}

#[test]
fn the_short_way_leads_where_the_long_one_does() {
    let short = Gateway::start(&policies());
    let long = Gateway::start(&format!("memo = \"0B\"\n{}", policies()));
    for round in 1..12 {
        for (path, body) in bodies(round) {
            // Now and then by POST, once with what nobody can read, and once away with all of it.
            let method = if round % 5 == 4 { "POST" } else { "PUT" };
            let body = if round == 9 { body.replace('\n', " x\n") } else { body };
            let send = |gateway: &Gateway| gateway.request(method, path).body(body.clone()).send();
            let (one, other) = (send(&short), send(&long));
            assert_eq!(one.status, other.status, "{round} {path}: {}", other.text());
            let without_id = |text: &str| text.split("details: ").next().unwrap_or_default().to_owned();
            assert_eq!(without_id(one.text()), without_id(other.text()), "{round} {path}");
        }
        if round == 7 {
            for gateway in [&short, &long] {
                gateway.delete("/metrics/job/counts").expect(202);
            }
        }
        assert_eq!(told(&short.scrape()), told(&long.scrape()), "{round}");
    }
    let is_remembered =
        short.scrape().sum("pushgate_plugin_skipped_total", &["plugin=\"relabel\"", "reason=\"memo\""]);
    assert!(is_remembered > 20.0, "{is_remembered}");
}
