//! Spans of pushes, as a receiver gets them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use e2e::gateway::entry;
use e2e::{Gateway, artifacts, poll};
use serde_json::Value;

/// A receiver that hands over every body that is posted to it.
fn receiver() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/otlp", listener.local_addr().unwrap());
    let (sender, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {}
            let head = head.to_ascii_lowercase();
            assert!(head.starts_with("post /otlp/v1/traces "), "{head}");
            assert!(head.contains("content-type: application/json"), "{head}");
            let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
            let mut body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut body).unwrap();
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            if sender.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
        }
    });
    (url, received)
}

fn gateway(traces: &str) -> Gateway {
    let plugin = entry("naming", &artifacts::plugin("naming"), "");
    Gateway::start(&format!("{plugin}\n[traces]\n{traces}\n"))
}

fn attribute<'a>(span: &'a Value, name: &str) -> &'a Value {
    let attributes = span["attributes"].as_array().unwrap();
    &attributes.iter().find(|attribute| attribute["key"] == name).unwrap_or_else(|| panic!("{span}"))["value"]
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_push_is_a_span_below_that_of_its_client_with_one_for_each_step() {
    let (url, received) = receiver();
    let gateway = gateway(&format!("endpoint = \"{url}\"\nsample = 0"));
    gateway.put("/metrics/job/unseen", "m 1\n").expect(200);
    let unsampled = PARENT.replace("-01", "-00");
    for (parent, body) in [(&*unsampled, "m 1\n"), (PARENT, "badName 1\n")] {
        gateway.request("PUT", "/metrics/job/seen").header("traceparent", parent).body(body).send();
    }
    let body = received.recv_timeout(Duration::from_secs(30)).unwrap();
    let resource = &body["resourceSpans"][0];
    assert_eq!(attribute(&resource["resource"], "service.name")["stringValue"], "pushgate");
    let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
    let names: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["PUT group", "parse", "plugin naming"], "rejected, so not stored");
    let [root, children @ ..] = spans.as_slice() else { panic!("{body}") };
    assert_eq!(root["parentSpanId"], "b7ad6b7169203331");
    assert_eq!(attribute(root, "pushgate.outcome")["stringValue"], "rejected");
    let time = |span: &Value, end: &str| span[end].as_str().unwrap().parse::<u64>().unwrap();
    for span in spans {
        assert_eq!(span["traceId"], "0af7651916cd43dd8448eb211c80319c");
        assert!(time(span, "startTimeUnixNano") >= time(root, "startTimeUnixNano"), "{span}");
        assert!(time(span, "endTimeUnixNano") <= time(root, "endTimeUnixNano"), "{span}");
    }
    assert!(children.iter().all(|span| span["parentSpanId"] == root["spanId"]), "{body}");
    assert_eq!(attribute(&spans[2], "pushgate.decision")["stringValue"], "reject");
    let fuel = attribute(&spans[2], "pushgate.fuel")["intValue"].as_str().unwrap();
    assert!(fuel.parse::<u64>().unwrap() > 0);
}

#[test]
fn what_is_left_is_sent_at_the_end() {
    let (url, received) = receiver();
    let gateway = gateway(&format!("endpoint = \"{url}\""));
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    gateway.terminate();
    let body = received.recv_timeout(Duration::from_secs(30)).unwrap();
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let names: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["PUT group", "parse", "plugin naming", "store"]);
}

#[test]
fn a_receiver_that_is_not_there_costs_traces_and_no_push() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = gateway(&format!("endpoint = \"http://{nobody}\""));
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    poll::until("the trace is dropped", || {
        (gateway.scrape().sum("pushgate_traces_total", &["outcome=\"dropped\""]) == 1.0).then_some(())
    });
    gateway.put("/metrics/job/one", "m 2\n").expect(200);
    assert!(gateway.log().contains("traces cannot be sent"), "{}", gateway.log());
}
