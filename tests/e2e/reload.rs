//! Changing a gateway while it runs: who may ask for it, what is told, and what does not change.

use std::os::unix::net::UnixDatagram;

use e2e::gateway::{config, entry};
use e2e::{Folder, Gateway, artifacts, poll};

const LIFECYCLE: &[&str] = &["--config.file=config.toml", "--web.enable-lifecycle"];

/// A configuration with a plugin that refuses families of that name.
fn refusing(name: &str) -> String {
    let plugin = entry("scribe", &artifacts::guest("scribe"), &format!("config = {{ refuse = \"{name}\" }}"));
    config("127.0.0.1:0", &plugin)
}

#[test]
fn a_request_reloads_and_is_told_what_came_of_it() {
    let gateway = Gateway::start_as(&refusing("a"), LIFECYCLE, &[]);
    let reload = |method: &str, config: &str| {
        gateway.folder().write("config.toml", config);
        gateway.request(method, "/-/reload").send()
    };
    gateway.put("/metrics/job/one", "a 1\n").expect(422);
    assert!(gateway.get("/status").text().contains("none since the start"));

    for (method, refused) in [("PUT", "b"), ("POST", "c")] {
        assert_eq!(reload(method, &refusing(refused)).expect(200).text(), "configuration reloaded\n");
        gateway.put("/metrics/job/one", format!("{refused} 1\n")).expect(422);
        gateway.put("/metrics/job/one", "a 1\n").expect(200);
    }

    let told = reload("POST", "[plugins]\nfule_base = 1\n").expect(500);
    let reason = "config.toml:2: [plugins] fule_base: unknown key; did you mean 'fuel_base'?";
    assert!(told.text().starts_with(&format!("failed to reload config: {reason}")), "{told:?}");
    let page = gateway.get("/status");
    assert!(page.text().contains("did you mean") && page.text().contains("/-/reload"), "{}", page.text());
    assert_eq!(gateway.scrape().expect("pushgate_config_last_reload_successful"), 0.0);
    gateway.put("/metrics/job/one", "c 1\n").expect(422);

    let told = reload("POST", &(refusing("a") + "\n[push]\nmax_series = 7\n")).expect(200);
    assert!(told.text().contains("wait for a restart: push.max_series"), "{told:?}");
    assert_eq!(gateway.scrape().expect("pushgate_config_last_reload_successful"), 1.0);
    gateway.put("/metrics/job/one", "a 1\n").expect(422);
}

#[test]
fn without_the_lifecycle_switch_no_request_reloads() {
    let gateway = Gateway::start_with(&refusing("a"));
    gateway.folder().write("config.toml", "wrong");
    for method in ["PUT", "POST"] {
        let told = gateway.request(method, "/-/reload").send().expect(403);
        assert_eq!(told.text(), "Lifecycle API is not enabled.");
    }
    gateway.get("/-/reload").expect(405);
    assert_eq!(gateway.scrape().expect("pushgate_config_last_reload_successful"), 1.0, "nothing was read");
}

#[test]
fn systemd_is_told_of_each_reload() {
    let folder = Folder::new();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(poll::PATIENCE)).unwrap();
    let receive = || {
        let mut buffer = [0; 1024];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let told = |state: &str, message: &str| message.lines().any(|line| line == state);
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap())];
    let mut gateway = Gateway::start_as(&refusing("a"), LIFECYCLE, &variables);
    assert!(told("READY=1", &receive()));
    for (config, outcome) in
        [(refusing("b"), "Configuration reloaded"), ("wrong".to_owned(), "Configuration not reloaded")]
    {
        gateway.reload(&config);
        let (begin, end) = (receive(), receive());
        let since = begin.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
        assert!(told("RELOADING=1", &begin) && since.unwrap().parse::<u64>().unwrap() > 0, "{begin}");
        assert!(told("READY=1", &end) && end.contains(&format!("STATUS={outcome}")), "{end}");
    }
    gateway.terminate();
    assert!(told("STOPPING=1", &receive()));
}
