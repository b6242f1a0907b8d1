//! What a plugin's author does with the program: from nothing to a plugin in a gateway.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::gateway::{command, config, entry};
use e2e::process::{Finished, finish};
use e2e::tools::{Tool, require};
use e2e::{Folder, Gateway, artifacts};
use xtask::workspace;

#[track_caller]
fn run(folder: &Folder, arguments: &[&str], code: i32) -> Finished {
    let finished = command(folder, arguments);
    assert_eq!(finished.code, code, "{arguments:?}\n{}{}", finished.stdout, finished.stderr);
    finished
}

#[track_caller]
fn says(finished: &Finished, expected: &[&str]) {
    for part in expected {
        let told = [finished.stdout.as_str(), &finished.stderr].concat();
        assert!(told.contains(part), "'{part}' in {told}");
    }
}

#[test]
fn a_new_project_is_built_tested_measured_and_served() {
    let folder = Folder::new();
    says(&run(&folder, &["plugin", "new", "my-policy"], 0), &["made the plugin 'my-policy'"]);
    says(&run(&folder, &["plugin", "new", "my-policy"], 1), &["'my-policy' is there already"]);
    let tested = run(&folder, &["plugin", "test", "my-policy"], 0);
    says(&tested, &["my-policy 0.1.0", "ok       past-the-limit.case", "3 passed"]);

    let case = folder.path().join("my-policy/cases/past-the-limit.case");
    let text = fs::read_to_string(&case).unwrap();
    fs::write(&case, text.replace("3 series", "4 series")).unwrap();
    let failed = run(&folder, &["plugin", "test", "my-policy"], 1);
    says(
        &failed,
        &["FAILED   past-the-limit.case", "- my-policy/too-many", "+ my-policy/too-many", "1 failed"],
    );
    run(&folder, &["plugin", "test", "--bless", "my-policy"], 0);
    assert_eq!(fs::read_to_string(&case).unwrap(), text, "what was expected at first");

    let built = folder.path().join("my-policy/target/wasm32-unknown-unknown/release/my_policy.wasm");
    let file = built.to_str().unwrap();
    let inspected = run(&folder, &["plugin", "inspect", file], 0);
    says(&inspected, &["pushgate:plugin@0.1.0", "can use   log", "my-policy/too-many", "\"limit\""]);
    let measured = run(&folder, &["plugin", "bench", "--config=my-policy/bench.json", file], 0);
    says(&measured, &["to compile, once", "series", "10000"]);

    let gateway = Gateway::start(&entry("my-policy", &built, "config = { limit = 1 }"));
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    let refused = gateway.put("/metrics/job/one", "m 1\nn 1\n").expect(422);
    assert!(refused.text().contains("my-policy/too-many"), "{}", refused.text());
}

#[test]
fn the_commands_of_the_guide_run_as_they_stand() {
    if require(Tool::Openssl).is_none() {
        return;
    }
    let guide = fs::read_to_string(workspace::path("plugins/README.md")).unwrap();
    let (_, config) = guide.split_once("```toml\n").unwrap();
    let folder = Folder::new();
    let binary = artifacts::gateway();
    let mut script = format!("set -e\ncd {}\n", folder.path().display());
    script += &format!("pushgate() {{ {} \"$@\"; }}\n", binary.display());
    let mut commands = 0;
    for command in guide.lines().filter_map(|line| line.strip_prefix("$ ")) {
        if command.starts_with("pushgate check-config") {
            let config = config.split_once("```").unwrap().0;
            script += &format!("cat > production.toml <<'END'\n{config}END\n");
        }
        script += &format!("{command}\n");
        commands += 1;
    }
    assert!(commands >= 16, "only {commands} commands were found");
    let ran = finish(Command::new("bash").args(["-c", &script]), b"");
    assert_eq!(ran.code, 0, "{script}\n{}{}", ran.stdout, ran.stderr);
    for part in
        ["3 passed", "can use   log", "to compile, once", "my-policy/too-many: a push has more series"]
    {
        assert!(ran.stdout.contains(part), "'{part}' in {}", ran.stdout);
    }
}

#[test]
fn names_that_are_none_leave_nothing_behind() {
    let folder = Folder::new();
    for name in ["Policy", "a b", "1st", "match", "ä"] {
        says(&run(&folder, &["plugin", "new", name], 1), &[name]);
    }
    let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.filter(|name| name != "input").collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn what_is_no_plugin_is_told() {
    let folder = Folder::new();
    let text = folder.write("text.wasm", "hello");
    let text = text.to_str().unwrap();
    says(&run(&folder, &["plugin", "inspect", text], 1), &["text.wasm' cannot be used", "no WebAssembly"]);
    says(&run(&folder, &["plugin", "inspect", "nowhere.wasm"], 1), &["cannot read", "nowhere.wasm"]);
    says(&run(&folder, &["plugin", "test", "--cases=.", text], 2), &["there is no file '*.case' in '.'"]);
    folder.write("a.case", "A rule.\n--- config\n{}\n--- push\nPUT {job=\"a\"}\n--- outcome\naccept\n");
    says(&run(&folder, &["plugin", "test", "--cases=.", text], 2), &["text.wasm", "no WebAssembly"]);
    says(&run(&folder, &["plugin", "build"], 1), &["Cargo.toml"]);
}

#[test]
fn a_plugin_is_tried_with_everything_or_with_what_a_policy_may() {
    let folder = Folder::new();
    let (capable, scribe) = (artifacts::guest("capable"), artifacts::guest("scribe"));
    let all = r#"grants = ["clock", "metrics", "state", "stored", "cardinality"]"#;
    let policies = [
        entry("poor", &capable, "grants = [\"clock\"]"),
        entry("rich", &capable, all),
        entry("tight", &scribe, "fuel_base = 10_000\nfuel_per_series = 0\nconfig = { refuse = \"bad\" }"),
        entry("wide", &scribe, "config = { refuse = \"requests_0_total\" }"),
    ];
    folder.write("config.toml", config("127.0.0.1:0", &policies.concat()));
    let [capable, scribe] = [&capable, &scribe].map(|file| file.to_str().unwrap());
    let missing = format!("which it was not granted; if it may have that, write {all}");

    let shown = run(&folder, &["plugin", "inspect", capable], 0);
    says(
        &shown,
        &["in a configuration\n  [[plugin]]\n", "  source = \"capable.wasm\"\n", &format!("\n  {all}\n")],
    );
    assert!(!run(&folder, &["plugin", "inspect", scribe], 0).stdout.contains("grants"));
    run(&folder, &["plugin", "inspect", "--policy=rich", capable], 0);
    let refused = run(&folder, &["plugin", "inspect", "--policy=poor", capable], 1);
    says(&refused, &["it cannot have the place of 'poor': it imports metrics, state", &missing]);
    let nobody = run(&folder, &["plugin", "inspect", "--policy=other", capable], 1);
    says(&nobody, &["the configuration has no plugin 'other'; there are: poor, rich, tight, wide"]);

    let case = |config: &str, push: &str| {
        format!("About.\n--- config\n{config}\n--- push\nPUT {{job=\"a\"}}\n{push}--- outcome\n")
    };
    folder.write("a.case", case("{}", "m 1\n"));
    let test = |plugin: &str, more: &[&str], code: i32| {
        run(&folder, &[&["plugin", "test", "--cases=.", plugin], more].concat(), code)
    };
    says(&test(capable, &["--bless"], 0), &[&format!("its [[plugin]] has to say {all}")]);
    let tested = test(capable, &["--policy=rich"], 0);
    assert!(!tested.stdout.contains("grants"), "{}", tested.stdout);
    says(&test(capable, &["--policy=poor"], 2), &["the plugin cannot be used: it imports metrics", &missing]);
    let large: String = (0..10_000).map(|index| format!("m{{i=\"{index}\"}} 1\n")).collect();
    // So many that a gateway would suspend the plugin.
    for name in ["a.case", "b.case", "c.case", "d.case"] {
        folder.write(name, case("{\"refuse\": \"bad\"}", &large) + "accept\n");
    }
    says(&test(scribe, &["--policy=wide"], 0), &["4 passed"]);
    let failed = test(scribe, &["--policy=tight"], 1);
    says(&failed, &["FAILED   a.case", "+ fault: out of fuel", "0 passed, 4 failed"]);

    let bench = |more: &[&str], code: i32| run(&folder, &[&["plugin", "bench", scribe], more].concat(), code);
    says(&bench(&["--policy=wide"], 0), &["reject"]);
    says(&bench(&["--policy=tight"], 0), &["fault: out of fuel"]);
    folder.write("other.toml", "refuse = 'other'\n");
    assert!(!bench(&["--policy=wide", "--config=other.toml"], 0).stdout.contains("reject"));
    let budget = artifacts::guest("series-budget");
    let bare = run(&folder, &["plugin", "bench", budget.to_str().unwrap()], 1);
    says(
        &bare,
        &["without a configuration; --config=FILE names", "it refuses its configuration: 'limit' is missing"],
    );
}

fn checking(rest: &str) -> Folder {
    let folder = Folder::new();
    let plugin = entry("policy", &artifacts::guest("scribe"), rest);
    folder.write("config.toml", config("127.0.0.1:0", &plugin));
    folder
}

#[test]
fn a_payload_is_checked_by_the_configured_chain() {
    let folder = checking("config = { refuse = \"bad\", write = \"x\" }");
    let push = |body: &str| folder.write("push.txt", body).to_str().unwrap().to_owned();
    let file = push("good 1\n");
    assert_eq!(run(&folder, &["check", "--job=one", &file], 0).stdout, "");
    let shown = run(&folder, &["check", "--job=one", "--label=team=a", "--show", &file], 0);
    says(&shown, &["good{", "job=\"one\"", "seen=\"x\"", "team=\"a\""]);

    push("good 1\nbad 2\n");
    let refused = run(&folder, &["check", "--job=one", &file], 1);
    says(&refused, &["policy: scribe/forbidden", "choose another name"]);
    push("good{ 1\n");
    says(&run(&folder, &["check", "--job=one", &file], 1), &["text format parsing error in line 1"]);
    says(&run(&folder, &["check", "--job=one", "nowhere.txt"], 2), &["cannot read 'nowhere.txt'"]);
    folder.write("broken.toml", "[[plugin]]\nname = 'p'\n");
    says(
        &run(&folder, &["check", "--job=one", "--config.file=broken.toml", &file], 2),
        &["broken.toml:1: [[plugin]] 'p': needs a key 'source'"],
    );
    assert!(!Path::new(&file).with_file_name("pushgate.data").exists());
}

#[test]
fn a_plugin_that_fails_is_no_answer() {
    let folder = Folder::new();
    let trap = entry("policy", &artifacts::guest("trap"), "");
    folder.write("config.toml", config("127.0.0.1:0", &trap));
    folder.write("push.txt", "m 1\n");
    says(&run(&folder, &["check", "--job=hostile", "push.txt"], 2), &["plugin 'policy' failed"]);
}

#[test]
fn a_code_is_explained_by_the_plugin_that_has_it() {
    let folder = checking("config = { refuse = \"bad\" }");
    let explained = run(&folder, &["plugin", "explain", "scribe/forbidden"], 0);
    says(&explained, &["scribe/forbidden: ", "the policy 'policy' (line", "\"refuse\": \"bad\""]);
    says(&run(&folder, &["plugin", "explain", "scribe/other"], 1), &["no configured plugin has the code"]);
}
