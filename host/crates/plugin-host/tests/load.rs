//! What is refused as a plugin, and how that is said. The components are written as text: no WebAssembly
//! toolchain is needed here. Plugins that do something are in the end-to-end tests.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use pushgate_plugin_host::{Engine, Granted, Limits, Plugin};

fn refusal(file: &[u8]) -> String {
    let engine = Engine::new(2, 1 << 20).unwrap();
    let limits = Limits { memory: 1 << 20, ..Limits::default() };
    match Plugin::load(&engine, "test", file, "{}", limits, &Granted::default()) {
        Ok(_) => panic!("it was loaded"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn check(rule: &str, text: &str, expected: &str) {
    let refusal = refusal(&wat::parse_str(text).unwrap());
    assert!(refusal.contains(expected), "{rule}: {refusal}");
}

#[test]
fn files_that_are_no_plugin() {
    assert!(refusal(b"").contains("no WebAssembly"));
    assert!(refusal(b"#!/bin/sh\n").contains("no WebAssembly"));
    assert!(refusal(b"\0asm\x01\0\0\0garbage").contains("cannot be made a component"));
    assert!(refusal(b"\0asm\x0d\0\x01\0garbage").contains("cannot be compiled"));
    assert!(refusal(&vec![0; (32 << 20) + 1]).contains("more than the 33554432 that are allowed"));
    assert!(refusal(&vec![0; 32 << 20]).contains("no WebAssembly"));
}

#[test]
fn components_of_another_world() {
    check(
        "nothing exported",
        "(component)",
        "not a plugin for this version of pushgate (pushgate:plugin@0.1.0)",
    );
    check("a module without an interface", "(module)", "not a plugin for this version of pushgate");
    check(
        "an import that is not served",
        r#"(component (import "acme:files/read@1.0.0" (instance (export "f" (func)))))"#,
        r#"imports "acme:files/read@1.0.0", which this host does not have"#,
    );
    check(
        "an interface of ours that there is not",
        r#"(component (import "pushgate:plugin/files@0.1.0" (instance (export "f" (func)))))"#,
        r#"imports "pushgate:plugin/files@0.1.0", which this host does not have"#,
    );
    check(
        "an interface of ours that was not granted",
        r#"(component
            (import "pushgate:plugin/state@0.1.0" (instance (export "f" (func))))
            (import "pushgate:plugin/log@0.1.0" (instance))
            (import "pushgate:plugin/clock@0.1.0" (instance)))"#,
        r#"imports clock, state, which it was not granted; if it may have that, write grants = ["clock", "state"]"#,
    );
    check(
        "WASI is linked, so what is missing is the export",
        r#"(component (import "wasi:sockets/tcp@0.2.6" (instance (export "f" (func)))))"#,
        "not a plugin for this version of pushgate",
    );
}

#[test]
fn fuel_grows_with_the_push_and_never_wraps() {
    let limits = Limits { fuel_base: 1000, fuel_per_series: 10, ..Limits::default() };
    assert_eq!((limits.fuel(0), limits.fuel(5)), (1000, 1050));
    assert_eq!(Limits { fuel_per_series: u64::MAX, ..limits }.fuel(2), u64::MAX);
}
