//! Plugins that were built against older versions of the contract, and are never built again.

use e2e::Gateway;
use e2e::gateway::entry;
use pushgate_plugin_host::Digest;
use xtask::workspace;

#[test]
fn a_plugin_of_0_1_0_runs() {
    let file = workspace::path("tests/golden/plugin-0.1.0.wasm");
    let digest = Digest::of(&std::fs::read(&file).unwrap()).to_string();
    let expected = "sha256:6d1ab9c355caea318e0576976707edf0c0f1ebb5922ef93e0f07d5285e4465e6";
    assert_eq!(digest, expected, "it is never built again");
    let grants = r#"grants = ["clock", "metrics", "state", "stored", "cardinality"]"#;
    let gateway = Gateway::start(&entry("old", &file, grants));
    let body =
        "m{a=\"1\"} 1\nm{a=\"2\"} 2\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\nh_sum 4\nh_count 3\n";
    for (number, seen) in [(1, "true 1 true true 0 0 false 1 3"), (2, "true 2 true true 3 2 true 1 3")] {
        gateway.put("/metrics/job/one", body).expect(200);
        let expected = format!("m{{a=\"1\",golden=\"{seen}\",instance=\"\",job=\"one\"}} 1");
        assert_eq!(gateway.scrape().samples("m")[0], expected, "push {number}");
    }
    let answer = gateway.post("/metrics/job/refused", body).expect(422);
    assert!(answer.text().contains("golden/refused") && answer.text().contains("choose another job"));
    gateway.delete("/metrics/job/one").expect(202);
    let scrape = gateway.scrape();
    assert!(scrape.samples("m").is_empty());
    let counted = |method: &str| {
        scrape
            .sum("pushgate_plugin_counter_golden_total", &["plugin=\"old\"", &format!("method=\"{method}\"")])
    };
    assert_eq!((counted("put"), counted("post"), counted("delete")), (2.0, 1.0, 1.0));
    assert!(gateway.log().contains("the golden plugin is asked"), "{}", gateway.log());
}
