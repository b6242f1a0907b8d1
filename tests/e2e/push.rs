//! What people push by hand and from scripts, with the real curl.

use e2e::Gateway;
use e2e::clients::{Curl, Shell};

/// The series of the line that everybody's documentation starts with.
const CLASSIC: &str = r#"my_metric{instance="myinstance",job="myjob",label1="value1",label2="value2"}"#;

#[test]
fn the_classic_lines_are_accepted_as_they_stand() {
    let Some(shell) = Shell::require() else { return };
    let gateway = Gateway::start("");
    let lines = [
        r#"echo 'my_metric{label1="value1", label2="value2"} 42.5' | curl --data-binary @- http://HOST/metrics/job/myjob/instance/myinstance"#,
        r#"echo 'my_metric{label1="value1", label2="value2"} 43.5' | curl -X POST --data-binary @- http://HOST/metrics/job/myjob/instance/myinstance"#,
        r#"echo 'my_metric{label1="value1", label2="value2"} 44.5' | curl -X PUT --data-binary @- http://HOST/metrics/job/myjob/instance/myinstance"#,
    ];
    for (line, value) in lines.into_iter().zip([42.5, 43.5, 44.5]) {
        let pushed = shell.run(&line.replace("HOST", &gateway.address().to_string()), &[]);
        assert_eq!((pushed.code, pushed.stdout.as_str()), (0, ""), "{line}\n{}", pushed.stderr);
        assert_eq!(gateway.scrape().expect(CLASSIC), value, "{line}");
    }
    let shown = shell.run(&format!("curl -s http://{}/metrics", gateway.address()), &[]);
    assert!(shown.stdout.contains(&format!("{CLASSIC} 44.5\n")), "{}", shown.stdout);
}

#[test]
fn several_families_come_in_one_body() {
    let Some(shell) = Shell::require() else { return };
    let gateway = Gateway::start("");
    let script = format!(
        "cat <<EOF | curl --fail --data-binary @- http://{}/metrics/job/some_job/instance/some_instance
# TYPE some_metric counter
some_metric{{label=\"val1\"}} 42
# TYPE another_metric gauge
# HELP another_metric Just an example.
another_metric 2398.283
EOF",
        gateway.address()
    );
    let pushed = shell.run(&script, &[]);
    assert_eq!(pushed.code, 0, "{}", pushed.stderr);
    let scrape = gateway.scrape();
    assert_eq!(scrape.expect(r#"some_metric{instance="some_instance",job="some_job",label="val1"}"#), 42.0);
    assert_eq!(scrape.expect(r#"another_metric{instance="some_instance",job="some_job"}"#), 2398.283);
    for line in [
        "# TYPE some_metric counter",
        "# HELP another_metric Just an example.",
        "# TYPE another_metric gauge",
    ] {
        assert!(scrape.text().lines().any(|shown| shown == line), "{line} in\n{}", scrape.without_own());
    }
}

#[test]
fn bodies_may_be_compressed_with_gzip() {
    let Some(shell) = Shell::require() else { return };
    let gateway = Gateway::start("");
    let url = gateway.url("/metrics/job/packed");
    let cases = [
        ("one member", "echo 'one 1' | gzip"),
        ("two members, as concatenated files have", "(echo 'one 1' | gzip; echo 'two 2' | gzip)"),
    ];
    for (rule, pack) in cases {
        let pushed = shell.run(
            &format!("{pack} | curl --fail -X PUT -H 'Content-Encoding: gzip' --data-binary @- {url}"),
            &[],
        );
        assert_eq!(pushed.code, 0, "{rule}: {}", pushed.stderr);
    }
    let scrape = gateway.scrape();
    assert_eq!(scrape.expect(r#"one{instance="",job="packed"}"#), 1.0);
    assert_eq!(scrape.expect(r#"two{instance="",job="packed"}"#), 2.0);
}

#[test]
fn a_compressed_body_that_is_broken_stores_nothing() {
    let gateway = Gateway::start("");
    let push = |body: &[u8]| {
        gateway.request("PUT", "/metrics/job/packed").header("Content-Encoding", "gzip").body(body).send()
    };
    push(b"one 1\n").expect(400);
    push(&packed(b"one 1\n")[..10]).expect(400);
    let mut wrong_checksum = packed(b"one 1\n");
    let length = wrong_checksum.len();
    wrong_checksum[length - 8] ^= 1;
    push(&wrong_checksum).expect(400);
    assert_eq!(gateway.scrape().samples("one"), [""; 0]);
    push(&packed(b"one 1\n")).expect(200);
    assert_eq!(gateway.scrape().samples("one").len(), 1);
}

fn packed(text: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_path_is_the_grouping_key() {
    let Some(curl) = Curl::require() else { return };
    let gateway = Gateway::start("");
    let cases = [
        ("no instance is an empty one", "/metrics/job/a", r#"instance="",job="a""#),
        ("labels in any order", "/metrics/job/b/z/1/y/2", r#"instance="",job="b",y="2",z="1""#),
        ("an escaped value", "/metrics/job/c/path/100%25%20sure", r#"instance="",job="c",path="100% sure""#),
        ("a plus is a plus", "/metrics/job/d/path/a+b", r#"instance="",job="d",path="a+b""#),
        (
            "base64 holds a slash",
            "/metrics/job/e/path@base64/L3Zhci90bXA",
            r#"instance="",job="e",path="/var/tmp""#,
        ),
        ("base64 may be padded", "/metrics/job/f/path@base64/YQ==", r#"instance="",job="f",path="a""#),
        ("one = is the empty value", "/metrics/job/g/path@base64/=", r#"instance="",job="g",path="""#),
        ("the job may be base64", "/metrics/job@base64/ZGlyL2pvYg", r#"instance="",job="dir/job""#),
        (
            "base64 uses the URL alphabet",
            "/metrics/job/h/path@base64/Pz8-",
            r#"instance="",job="h",path="??>""#,
        ),
        ("quotes are escaped when shown", "/metrics/job/i/path/%22", r#"instance="",job="i",path="\"""#),
        ("a trailing slash is an empty value", "/metrics/job/j/instance/", r#"instance="",job="j""#),
    ];
    for (rule, path, labels) in cases {
        let answer = curl.run("m 1\n", &["--path-as-is", "--data-binary", "@-"], &gateway.url(path));
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{rule}: {path}");
        assert_eq!(gateway.scrape().expect(&format!("m{{{labels}}}")), 1.0, "{rule}: {path}");
    }
}

#[test]
fn a_path_that_is_no_grouping_key_is_refused() {
    let Some(curl) = Curl::require() else { return };
    let gateway = Gateway::start("");
    let cases = [
        ("a label without a value", "/metrics/job/a/instance"),
        ("a slash that is escaped separates, too", "/metrics/job/a/path/x%2Fy"),
        ("no name", "/metrics/job/a//x"),
        ("a name that is none", "/metrics/job/a/b-c/x"),
        ("a reserved name", "/metrics/job/a/__b/x"),
        ("base64 with a wrong letter", "/metrics/job/a/path@base64/!!"),
        ("base64 of the other alphabet", "/metrics/job/a/path@base64/Pz8+"),
        ("a job that is empty", "/metrics/job@base64/="),
        ("a value that is not UTF-8", "/metrics/job/a/path/%FF"),
    ];
    for (rule, path) in cases {
        let answer = curl.run("m 1\n", &["--path-as-is", "--data-binary", "@-"], &gateway.url(path));
        assert!((300..500).contains(&answer.status), "{rule}: {path}: {answer:?}");
        assert_eq!(gateway.scrape().samples("m"), [""; 0], "{rule}: {path}");
    }
    assert_eq!(gateway.scrape().samples("push_time_seconds"), [""; 0]);
}

#[test]
fn names_may_be_utf8_where_that_is_switched_on() {
    let gateway = Gateway::start("\n[push]\nutf8_names = true\n");
    gateway.put("/metrics/job/x/U__my_2e_label/v", "{\"a.b\",\"x y\"=\"1\"} 1\n").expect(200);
    let scraped = |accept: &str| {
        let answer = gateway.request("GET", "/metrics").header("Accept", accept).send().expect(200);
        let media_type = answer.header("content-type").unwrap().to_owned();
        (media_type, answer.text().to_owned())
    };
    for (scheme, line) in [
        ("underscores", r#"a_b{instance="",job="x",my_label="v",x_y="1"} 1"#),
        ("allow-utf-8", r#"{"a.b",instance="",job="x","my.label"="v","x y"="1"} 1"#),
        ("dots", r#"a_dot_b{instance="",job="x",my_dot_label="v",x__y="1"} 1"#),
        ("values", r#"U__a_2e_b{instance="",job="x",U__my_2e_label="v",U__x_20_y="1"} 1"#),
    ] {
        let (media_type, text) = scraped(&format!("text/plain;version=0.0.4;escaping={scheme}"));
        assert!(media_type.ends_with(&format!("; escaping={scheme}")), "{media_type}");
        assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
    }
    gateway.delete("/metrics/job/x/my.label/v").expect(202);
    assert_eq!(gateway.scrape().samples("a_b"), [""; 0]);
}

#[test]
fn slips_are_forgiven_where_that_is_switched_on() {
    let gateway = Gateway::start("\n[push]\nlenient = true\n");
    gateway.put("/metrics/job/x", "a 1 1234\r\nb 2 \r\nc 3").expect(200);
    let scrape = gateway.scrape();
    for name in ["a", "b", "c"] {
        assert_eq!(scrape.samples(name).len(), 1, "{name}");
    }
}

#[test]
fn bodies_may_be_snappy_or_zstd() {
    let gateway = Gateway::start("");
    // `a 1` and a line feed, as other programs compress it: framed snappy, and zstd with a checksum.
    let snappy = b"\xff\x06\0\0sNaPpY\x01\x08\0\0\xafL\x19\x8aa 1\n";
    let zstd = b"\x28\xb5\x2f\xfd\x04\x58\x21\x00\x00\x61\x20\x31\x0a\x91\x72\xc4\x35";
    for (coding, body) in [("snappy", &snappy[..]), ("zstd", &zstd[..])] {
        gateway
            .request("PUT", "/metrics/job/x")
            .header("Content-Encoding", coding)
            .body(body)
            .send()
            .expect(200);
        assert_eq!(gateway.scrape().samples("a").len(), 1, "{coding}");
        gateway.delete("/metrics/job/x").expect(202);
    }
}
