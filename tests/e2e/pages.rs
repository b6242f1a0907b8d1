//! The web pages in a real browser: found, read, used with the keyboard alone, and safe whatever was pushed.

use e2e::browser::key;
use e2e::gateway::{config, entry};
use e2e::{Browser, Gateway, artifacts};

/// The groups that the page shows.
const SHOWN: &str = "document.querySelectorAll('article').length";
const DIALOG_IS_OPEN: &str = "document.querySelector('dialog').open";
const DIALOG_IS_CLOSED: &str = "!document.querySelector('dialog').open";
/// What a person would call the element that has the focus.
const FOCUS: &str =
    "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()";

/// A browser and a gateway with the groups `{job="batch", instance="host-000"}` and on.
fn with_groups(count: usize) -> Option<(Browser, Gateway)> {
    let browser = Browser::require()?;
    let gateway =
        Gateway::start_with(&config("127.0.0.1:0", "").replace("[web]", "[web]\nenable_admin_api = true"));
    for number in 0..count {
        let path = format!("/metrics/job/batch/instance/host-{number:03}");
        gateway
            .put(&path, "# HELP took_seconds How long it took.\ntook_seconds{step=\"a\"} 1.5\n")
            .expect(200);
    }
    Some((browser, gateway))
}

/// Presses Tab until the element of that name has the focus.
fn tab_to(browser: &Browser, name: &str) {
    for _ in 0..150 {
        if browser.text(FOCUS) == name {
            return;
        }
        browser.press([key::TAB]);
    }
    panic!("Tab does not lead to {name}; at the end it led to {}", browser.text(FOCUS));
}

/// The browser has nothing to complain of, and has asked nobody else for anything.
fn is_content(browser: &Browser, gateway: &Gateway) {
    assert_eq!(browser.complaints(), [""; 0]);
    let elsewhere = |url: &String| !url.starts_with(&gateway.url("/")) && !url.starts_with("data:");
    let requested = browser.requested();
    assert!(!requested.is_empty() && !requested.iter().any(elsewhere), "{requested:?}");
}

#[test]
fn groups_are_searched_and_paged() {
    let Some((browser, gateway)) = with_groups(120) else { return };
    browser.open(&gateway.url("/"));
    assert_eq!(browser.text(SHOWN), "50");
    tab_to(&browser, "Next");
    browser.press([key::ENTER]);
    browser.until("location.search === '?page=2'");
    assert!(browser.text("document.querySelector('article').textContent").contains("host-050"));

    browser.run("document.getElementById('q').focus()");
    browser.press("HOST-01".chars().chain([key::ENTER]));
    browser.until("location.search.includes('q=HOST-01') && document.readyState === 'complete'");
    assert_eq!(browser.text(SHOWN), "10");
    assert_eq!(
        browser.text("document.getElementById('q').value"),
        "HOST-01",
        "what was typed is still there"
    );
    browser.open(&gateway.url("/?q=nothing"));
    assert!(browser.text("document.querySelector('main').innerText").contains("No group matches nothing"));
    is_content(&browser, &gateway);
}

#[test]
fn a_group_is_read_and_deleted_with_the_keyboard_alone() {
    let Some((browser, gateway)) = with_groups(3) else { return };
    let (delete, summary) =
        (r#"Delete the group job="batch" instance="host-001""#, "document.querySelectorAll('details')[1]");
    browser.open(&gateway.url("/?q=batch&page=1"));
    browser.press([key::TAB]);
    assert_eq!(browser.text(FOCUS), "Skip to the content");

    tab_to(&browser, r#"Delete the group job="batch" instance="host-000""#);
    browser.press([key::TAB, key::ENTER]);
    browser.until(&format!("{summary}.open"));
    assert!(browser.text(&format!("{summary}.innerText")).contains("How long it took."));
    let outline = browser.text("getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, "solid", "what has the focus is seen");
    browser.open(&gateway.url("/?q=batch&page=1"));
    assert_eq!(browser.text(&format!("{summary}.open")), "true", "what is open stays open");

    tab_to(&browser, delete);
    browser.press([key::ENTER]);
    browser.until(DIALOG_IS_OPEN);
    assert_eq!(browser.text(FOCUS), "Cancel", "a second Enter deletes nothing");
    browser.press([key::ESCAPE]);
    browser.until(DIALOG_IS_CLOSED);
    assert_eq!(browser.text(FOCUS), delete, "the focus is where it was");
    assert_eq!(gateway.scrape().samples("took_seconds").len(), 3);

    browser.press([key::ENTER]);
    browser.until(DIALOG_IS_OPEN);
    assert!(browser.text("document.querySelector('dialog').innerText").contains(r#"instance="host-001""#));
    browser.press([key::TAB]);
    assert_eq!(browser.text(FOCUS), "Delete");
    browser.press([key::ENTER]);
    browser.until(&format!("{SHOWN} === 2 && !document.getElementById('notice').hidden"));
    assert_eq!(browser.text("location.search"), "?q=batch&page=1", "search and page are kept");
    assert!(browser.text("document.getElementById('notice').textContent").contains("host-001"));
    let left = gateway.scrape();
    assert_eq!((left.samples("took_seconds").len(), left.text().contains("host-001")), (2, false));
    is_content(&browser, &gateway);
}

#[test]
fn everything_is_deleted_at_once_where_that_is_allowed() {
    let Some((browser, gateway)) = with_groups(60) else { return };
    browser.open(&gateway.url("/"));
    tab_to(&browser, "Delete all 60 groups");
    browser.press([key::ENTER]);
    browser.until(DIALOG_IS_OPEN);
    browser.press([key::TAB, key::ENTER]);
    browser.until("document.querySelector('main').innerText.includes('Nothing is stored yet')");
    // How to push stands there with the address that the browser has used.
    let example = browser.text("document.querySelector('main code').textContent");
    assert!(example.contains(&gateway.url("/metrics/job/some_job")), "{example}");
    assert_eq!(gateway.scrape().samples("took_seconds"), [""; 0]);

    let without = Gateway::start("");
    without.put("/metrics/job/x", "a 1\n").expect(200);
    browser.open(&without.url("/"));
    assert_eq!(browser.text("document.getElementById('wipe')"), "null");
}

/// A policy that fails on a DELETE keeps the group; the gateway's reason is shown in full, and it can be tried again.
#[test]
fn a_deletion_that_is_refused_says_why() {
    let Some(browser) = Browser::require() else { return };
    // The trap does not see the job that it hates until the group is there, under the name that the second one gives.
    let rename = r#"config = { group_rules = [{ source_labels = ["job"], regex = "nice", target_label = "job", replacement = "hostile" }] }"#;
    let chain = [
        entry("trap", &artifacts::guest("trap"), ""),
        entry("rename", &artifacts::plugin("relabel"), rename),
    ];
    let gateway = Gateway::start(&chain.concat());
    gateway.put("/metrics/job/nice", "a 1\n").expect(200);
    browser.open(&gateway.url("/"));
    let refused = |reason: &str| {
        browser.press([key::ENTER]);
        browser.until(&format!("document.getElementById('confirm-error').innerText.includes({reason:?})"));
        assert_eq!(browser.text(FOCUS), "Delete");
    };
    tab_to(&browser, r#"Delete the group job="hostile""#);
    browser.press([key::ENTER]);
    browser.until(DIALOG_IS_OPEN);
    browser.press([key::TAB]);
    refused("plugin 'trap' failed, and nothing enters unchecked; nothing of the push is stored");
    gateway.terminate();
    refused("The gateway cannot be reached");
}

#[test]
fn whatever_is_pushed_does_nothing() {
    let Some(browser) = Browser::require() else { return };
    let limits = "\n[push]\nmax_label_value_length = 1000000\n";
    let gateway = Gateway::start_with(&config("127.0.0.1:0", limits));
    let script = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let escaped: String =
        script.bytes().map(|byte| format!("%{byte:02X}")).filter(|byte| byte != "%2F").collect();
    let long = "<b>".repeat(33_000);
    let body =
        format!("# HELP a {script}{long}\na{{x=\"{}\",y=\"{long}\"}} 1\n", script.replace('"', "\\\""));
    gateway
        .put(&format!("/metrics/job/{escaped}/rtl/%E2%80%AEgpj.exe/hebrew/%D7%A9%D7%9C/nul/%00"), body)
        .expect(200);
    gateway
        .put(&format!("/metrics/job/{escaped}"), format!("# TYPE a gauge\na{{x=\"{}\"}} 1\n", "<i>"))
        .expect(400);
    for query in [
        "/",
        &format!("/?q={escaped}"),
        &format!("/?q={escaped}+more"),
        "/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ] {
        browser.open(&gateway.url(query));
        browser.run("document.querySelectorAll('details').forEach((group) => (group.open = true))");
        // An alert would fail every command from here on.
        assert_eq!(browser.text("document.scripts.length"), "1", "{query}");
        assert_eq!(browser.text("document.querySelectorAll('main img, main b, main i').length"), "0");
        assert_eq!(browser.text("document.documentElement.scrollWidth <= innerWidth"), "true");
        is_content(&browser, &gateway);
    }
    browser.open(&gateway.url("/?q=hebrew"));
    tab_to(&browser, &browser.text("document.querySelector('.delete').getAttribute('aria-label')"));
    browser.press([key::ENTER]);
    browser.until(DIALOG_IS_OPEN);
    browser.press([key::TAB, key::ENTER]);
    browser.until("document.querySelector('main').innerText.includes('No group matches')");
}

/// A page of another site can change nothing; one of the gateway itself, with the same script, can.
#[test]
fn another_site_can_change_nothing() {
    let Some((browser, gateway)) = with_groups(1) else { return };
    let other = Gateway::start("");
    // A text without a policy of its own, so that only the gateway stands in the way.
    let fetch = |site: &Gateway, options: &str, path: &str| {
        browser.open(&site.url("/static/README.md"));
        let url = gateway.url(path);
        browser.run(&format!(
            "return fetch({url:?}, {{{options}}}).then((answer) => answer.ok, () => 'blocked')"
        ))
    };
    let from = |site: &Gateway, method: &str, path: &str| fetch(site, &format!("method: {method:?}"), path);
    let group = "/metrics/job/batch/instance/host-000";
    for (method, path) in [
        ("DELETE", group),
        ("PUT", group),
        ("PUT", "/api/v1/admin/wipe"),
        ("DELETE", "/api/v1/admin/wipe"),
        // Sent without asking, and not what deletes.
        ("POST", "/api/v1/admin/wipe"),
    ] {
        assert_eq!(from(&other, method, path), "blocked", "{method} {path}");
        assert_eq!(gateway.scrape().samples("took_seconds").len(), 1, "{method} {path}");
    }
    // What a form sends: no browser asks before it, and none tells what came of it.
    let form = "method: 'POST', mode: 'no-cors', body: 'forged 1\\n'";
    assert_eq!(fetch(&other, form, group), false);
    assert_eq!(gateway.scrape().samples("forged"), [""; 0]);
    assert_eq!(fetch(&gateway, form, group), true);
    assert_eq!(gateway.scrape().samples("forged").len(), 1);
    assert_eq!(from(&gateway, "DELETE", group), true);
    assert_eq!(gateway.scrape().samples("took_seconds"), [""; 0]);
}

/// The worst contrast of any text on the page with what is behind it, as WCAG 2 counts it; 4.5 is AA.
const WORST_CONTRAST: &str = "
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = channels(getComputedStyle(at).backgroundColor);
            if (color.length === 3 || color[3] === 1) return color;
        }
        return [255, 255, 255];
    };
    const hasText = (element) => Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim());
    let worst = [99, ''];
    for (const element of document.querySelectorAll('body *')) {
        if (!hasText(element) || !element.checkVisibility()) continue;
        const [one, other] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (ratio < worst[0]) worst = [ratio, element.outerHTML.slice(0, 100)];
    }
    return worst;";

#[test]
fn pages_are_readable_in_light_and_dark_and_on_a_phone() {
    let Some((browser, gateway)) = with_groups(60) else { return };
    let labels =
        "/metrics/job/a%20job%20with%20a%20long%20name/instance/some.very.long.host.name.example.org:9100";
    let histogram = "# HELP h Durations.\n# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 2\n";
    gateway.put(labels, histogram).expect(200);
    gateway.put(labels, "# TYPE took_seconds gauge\ntook_seconds 1\n").expect(400);
    for (scheme, width) in [("light", 1_280), ("dark", 1_280), ("light", 360), ("dark", 360)] {
        browser.resize(width, 1_000);
        browser.prefer(scheme);
        browser.open(&gateway.url("/status"));
        let status = browser.run(WORST_CONTRAST);
        browser.open(&gateway.url("/"));
        browser.run("document.querySelector('details').open = true");
        let groups = browser.run(WORST_CONTRAST);
        browser.picture(&format!("groups-{scheme}-{width}"));
        browser.run("document.querySelector('.delete').click()");
        for worst in [status, groups, browser.run(WORST_CONTRAST)] {
            assert!(worst[0].as_f64().unwrap() >= 4.5, "{scheme}: {worst}");
        }
        assert_eq!(browser.text("document.documentElement.scrollWidth <= innerWidth"), "true", "{width}");
        let is_dark = browser.text("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 29)";
        assert_eq!(is_dark, scheme == "dark");
    }
}

#[test]
fn what_policies_did_is_found_and_read() {
    let Some(browser) = Browser::require() else { return };
    let settings = "breaker_faults = 1\nbreaker_backoff = '1h'\n";
    let trap = entry("trap", &artifacts::guest("trap"), "mode = 'monitor'");
    let naming = entry("naming", &artifacts::plugin("naming"), "config = { prefixes = ['app_'] }");
    let off = entry("resting", &artifacts::plugin("naming"), "mode = 'off'");
    let mut gateway = Gateway::start(&[settings, &trap, &naming, &off].concat());
    gateway.put("/metrics/job/hostile/x/%3Cscript%3Ealert(1)", "app_a 1\n").expect(200);
    gateway.put("/metrics/job/batch", "bad{x=\"</pre><script>alert(1)</script>\"} 1\n").expect(422);
    for (scheme, width) in [("light", 1_280), ("dark", 360)] {
        browser.resize(width, 1_000);
        browser.prefer(scheme);
        browser.open(&gateway.url("/plugins"));
        let plugins = browser.text("document.querySelector('main').innerText");
        for expected in ["trap suspended", "hostile", "naming running", "resting off", "reject 1"] {
            assert!(plugins.contains(expected), "{expected}: {plugins}");
        }
        let worst = browser.run(WORST_CONTRAST);
        browser.picture(&format!("plugins-{scheme}-{width}"));
        browser.open(&gateway.url("/rejections"));
        assert_eq!(browser.text("document.querySelectorAll('tbody tr').length"), "2");
        let fits = "document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(browser.text(fits), "true", "{width}");
        browser.run("document.querySelector('tbody a').focus()");
        browser.press([key::ENTER]);
        browser.until("location.pathname === '/rejection' && document.readyState === 'complete'");
        let told = browser.text("document.querySelector('main').innerText");
        for expected in ["naming: rejected", "naming/prefix", "</pre><script>alert(1)</script>", "app_"] {
            assert!(told.contains(expected), "{expected}: {told}");
        }
        assert_eq!(browser.text("document.querySelectorAll('main script').length"), "0");
        browser.picture(&format!("rejection-{scheme}-{width}"));
        assert_eq!(browser.text(fits), "true", "{width}");
        for worst in [worst, browser.run(WORST_CONTRAST)] {
            assert!(worst[0].as_f64().unwrap() >= 4.5, "{scheme}: {worst}");
        }
        let last =
            "[...document.querySelectorAll('nav a')].at(-1).getBoundingClientRect().right <= innerWidth";
        assert_eq!(browser.text(last), "true", "all pages can be reached at {width}");
        is_content(&browser, &gateway);
    }
    gateway.get("/rejection?id=none").expect(404);

    let line = gateway.reload(&config("127.0.0.1:0", &entry("fresh", &artifacts::plugin("naming"), "")));
    assert!(line.contains("configuration reloaded"), "{line}");
    for page in ["/status", "/plugins"] {
        browser.open(&gateway.url(page));
        let told = browser.text("document.querySelector('main').innerText");
        assert!(told.contains("fresh") && !told.contains("resting"), "{page}: {told}");
    }
}
