//! Pushes that are refused because of what is in them, with the line and what to do.

use e2e::Gateway;
use e2e::clients::Curl;

#[test]
fn a_body_with_a_mistake_is_refused_with_its_line_and_a_hint() {
    let Some(curl) = Curl::require() else { return };
    let gateway = Gateway::start("");
    let cases = [
        ("no final line feed", "a 1\nb 2", "line 2", "must end in a line feed"),
        ("no final line feed, as `curl -d` sends it", "a 1", "line 1", "--data-binary"),
        ("CRLF", "a 1\r\n", "line 1", "CRLF"),
        ("a blank at the end of a line", "a 1\nb 2 \n", "line 2", "blank at the end of the line"),
        ("a name with a hyphen", "# c\n\nqueue-depth 1\n", "line 3", "letters, digits"),
        ("a label without quotes", "a{b=c} 1\n", "line 1", "double quotes"),
        ("a type that there is not", "# TYPE a gouge\na 1\n", "line 1", "gauge"),
        ("no value", "a\n", "line 1", "value"),
        ("no number", "a NULL\n", "line 1", "NULL"),
    ];
    let url = gateway.url("/metrics/job/refused");
    for (rule, body, line, hint) in cases {
        let answer = curl.run(body, &["--data-binary", "@-"], &url);
        assert_eq!(answer.status, 400, "{rule}: {}", answer.body);
        assert!(answer.body.contains(line) && answer.body.contains(hint), "{rule}: {}", answer.body);
        assert!(answer.body.ends_with('\n'), "{rule}: a terminal shows the prompt on a line of its own");
    }
    let scrape = gateway.scrape();
    assert_eq!(scrape.samples("a"), [""; 0], "nothing of a refused body is stored");
    assert_eq!(scrape.samples("push_time_seconds"), [""; 0], "and no group is made");
}

#[test]
fn methods_and_paths_that_there_are_not() {
    let gateway = Gateway::start("");
    let cases = [
        ("GET", "/metrics/job/a", 405),
        ("PATCH", "/metrics/job/a", 405),
        ("PUT", "/metrics", 405),
        ("POST", "/-/healthy", 405),
        ("GET", "/nowhere", 404),
        ("POST", "/metrics/instance/a", 404),
    ];
    for (method, path, status) in cases {
        let answer = gateway.request(method, path).send();
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert_eq!(answer.header("allow").is_some(), status == 405, "{method} {path}: {answer:?}");
    }
}

#[test]
fn bodies_over_the_limits_are_refused_and_the_gateway_goes_on() {
    let config = e2e::gateway::config("127.0.0.1:0", "")
        + "\n[push]\nmax_body = \"1KiB\"\nmax_decompressed = \"4KiB\"\nmax_series = 10\n";
    let gateway = Gateway::start_with(&config);
    let lines = |count: usize| (0..count).map(|n| format!("a{{n=\"{n}\"}} {n}\n")).collect::<String>();
    let comment = |length: usize| format!("#{}\n", "x".repeat(length - 2));
    gateway.put("/metrics/job/at", comment(1024)).expect(200);
    gateway.put("/metrics/job/past", comment(1025)).expect(413);
    gateway.put("/metrics/job/at", lines(10)).expect(200);
    gateway.put("/metrics/job/past", lines(11)).expect(413);
    let packed = |body: String| {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(body.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let push = |body: Vec<u8>| {
        gateway.request("PUT", "/metrics/job/packed").header("Content-Encoding", "gzip").body(body).send()
    };
    push(packed(comment(4096))).expect(200);
    push(packed(comment(4097))).expect(413);
    let bomb = packed(comment(800_000));
    assert!(bomb.len() < 1024, "it must pass the first limit");
    push(bomb).expect(413);
    let scrape = gateway.scrape();
    assert_eq!(scrape.samples("a").len(), 10);
    assert!(!scrape.text().contains("job=\"past\""), "{}", scrape.text());
}

#[test]
fn without_the_check_a_push_is_always_taken_and_scrapes_tell_what_is_wrong() {
    let gateway = Gateway::start("\n[push]\ndisable_consistency_check = true\n");
    gateway.put("/metrics/job/good", "a 1\n").expect(202);
    gateway.put("/metrics/job/bad", "no value").expect(400);
    gateway.put("/metrics/job/old", "a 1 5\n").expect(202);
    let scrape = gateway.scrape();
    assert_eq!(scrape.samples("a").len(), 1, "a push with timestamps is dropped");
    assert_eq!(scrape.expect(r#"push_time_seconds{instance="",job="old"}"#), 0.0);
    gateway.put("/metrics/job/twice", "a 1\na 2\n").expect(202);
    let failed = gateway.get("/metrics").expect(500);
    assert!(
        failed.text().starts_with("An error has occurred while serving metrics:\n\n"),
        "{}",
        failed.text()
    );
    assert!(failed.text().contains("was collected before"), "{}", failed.text());
    gateway.delete("/metrics/job/twice").expect(202);
    assert_eq!(gateway.scrape().samples("a").len(), 1);
}

#[test]
fn series_may_stand_beside_the_gateways_own_but_only_of_their_type() {
    let gateway = Gateway::start("");
    let own = "# TYPE process_open_fds gauge\nprocess_open_fds 5\n";
    gateway.put("/metrics/job/x", own).expect(200);
    assert_eq!(gateway.scrape().samples("process_open_fds").len(), 2);
    for body in ["pushgateway_build_info 5\n", "pushgateway_http_requests_total 5\n", "pushgate_groups 5\n"] {
        let refused = gateway.put("/metrics/job/y", body).expect(400);
        assert!(refused.text().contains("the gateway's own"), "{}", refused.text());
    }
}
