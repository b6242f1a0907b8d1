//! `cargo xtask bench`, in small: what it says of how fast things are means nothing here.

use std::process::Command;

use e2e::{Folder, artifacts};
use serde_json::Value;
use xtask::workspace;

#[test]
fn a_bench_measures_all_servers_and_tells_it_in_a_table() {
    let gateway = artifacts::gateway();
    artifacts::plugins();
    let folder = Folder::new();
    let json = folder.path().join("results.json");
    let mut bench = Command::new(workspace::target().join("debug/pushgate-bench"));
    bench.args(["--smoke", "--no-reference", "--gateway"]).arg(gateway).arg("--json").arg(&json);
    let output = bench.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let results: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let servers = [
        "empty server",
        "pushgate, no plugin",
        "pushgate, 1 plugin",
        "pushgate, 3 plugins",
        "pushgate, 3 plugins, no memo",
        "pushgate, 3 plugins, journal",
    ];
    let pushes = results["pushes"].as_array().unwrap();
    assert_eq!(pushes.len(), 3);
    for row in pushes {
        let cells = row["cells"].as_array().unwrap();
        let measured: Vec<_> = cells.iter().map(|cell| cell["server"].as_str().unwrap()).collect();
        assert_eq!(measured, servers);
        // A push that is refused ends the run, so all were answered as they should be.
        for value in
            cells.iter().flat_map(|cell| ["rate", "p50_ms", "p999_ms"].map(|key| &cell[key]["median"]))
        {
            assert!(value.as_f64().unwrap() > 0.0, "{row}");
        }
    }
    let scrapes = results["scrapes"].as_array().unwrap();
    assert_eq!(scrapes.len(), 6);
    assert!(scrapes.iter().all(|row| row["cells"].as_array().unwrap().len() == 2));

    let table = String::from_utf8(output.stdout).unwrap();
    for server in servers {
        assert!(table.contains(&format!("\n| {server}")), "{table}");
    }
}
