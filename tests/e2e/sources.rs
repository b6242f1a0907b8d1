//! Plugins from files, https and a real OCI registry: pinned, signed, locked, kept.

mod servers;
mod setup;
mod tokens;

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::gateway::command;
use e2e::registry::{Certificate, Layer, Registry};
use e2e::{Gateway, artifacts};
use pushgate_plugin_host::Digest;

use self::setup::{Setup, find, plugin, wasm};

#[test]
fn a_file_is_what_its_digest_says() {
    let setup = Setup::new();
    let file = setup.folder.write("p.wasm", plugin());
    let digest = format!("digest = '{}'", Digest::of(&plugin()));
    setup.configure("", file.to_str().unwrap(), &digest);
    setup.accepted(&[]);
    fs::write(&file, fs::read(artifacts::guest("trap")).unwrap()).unwrap();
    setup.refused(&["config.toml:7: [[plugin]] 'p' source:", "has the digest sha256:", "is wanted"]);
}

#[test]
fn a_file_is_signed_by_the_one_who_must_have() {
    let setup = Setup::new();
    if setup.make_key("ours").and(setup.make_key("theirs")).is_none() {
        return;
    }
    let file = setup.folder.write("p.wasm", plugin());
    setup.configure("", file.to_str().unwrap(), "signed_by = 'ours.pub'");
    setup.refused(&["there is no signature at '", "p.wasm.sig'", "ours.pub' must have signed it"]);
    setup.folder.write("p.wasm.sig", setup.sign("theirs", &plugin()));
    setup.refused(&["is not one of '", "ours.pub' for this plugin"]);
    setup.folder.write("p.wasm.sig", setup.sign("ours", b"something else"));
    setup.refused(&["is not one of '"]);
    setup.folder.write("p.wasm.sig", setup.sign("ours", &plugin()));
    setup.accepted(&[]);
    // As openssl writes it, without base64.
    fs::copy(setup.path("signature"), setup.path("p.wasm.sig")).unwrap();
    setup.accepted(&[]);
}

#[test]
fn a_registry_gives_what_is_pinned() {
    let Some(registry) = Registry::start() else { return };
    let manifest = registry.push("team/p", "1.0", &wasm(&plugin()));
    let source = format!("oci://{}/team/p:1.0", registry.address());
    let setup = Setup::new();
    setup.configure("", &source, "");
    setup.refused(&["nothing says which file", "add `digest` or `signed_by`, or run `pushgate lock`"]);
    setup.configure("", &source, &format!("digest = '{}'", Digest::of(b"")));
    setup.refused(&["has the digest sha256:", &Digest::of(b"").to_string()]);
    setup.configure("", &format!("oci://{}/team/p:2.0", registry.address()), "signed_by = 'no.pub'");
    setup.refused(&["no.pub"]);
    // A manifest's digest names one plugin as well.
    setup.configure("", &format!("oci://{}/team/p@{manifest}", registry.address()), "");
    setup.accepted(&[]);

    setup.configure("cache_directory = 'cache'", &source, &format!("digest = '{}'", Digest::of(&plugin())));
    let gateway = Gateway::start_in(setup.folder, &["--config.file=config.toml"]);
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    assert_eq!(gateway.scrape().samples("m"), [r#"m{instance="",job="one",seen="x"} 1"#]);
    let folder = gateway.terminate();

    // The registry is gone, and the plugin is still the one that is wanted.
    drop(registry);
    let gateway = Gateway::start_in(folder, &["--config.file=config.toml"]);
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    let folder = gateway.terminate();

    // What was kept is compared each time.
    let kept = find(folder.path(), &Digest::of(&plugin()).hex());
    fs::write(&kept, b"\0asm, but another one").unwrap();
    let checked = command(&folder, &["check-config"]);
    assert_eq!(checked.code, 1, "{}", checked.stdout);
    for part in ["cannot get 'http://127.0.0.1", "; and its copy in plugins.cache_directory", "it is damaged"]
    {
        assert!(checked.stderr.contains(part), "'{part}' in {}", checked.stderr);
    }
}

#[test]
fn an_artefact_that_is_no_plugin_is_refused() {
    let Some(registry) = Registry::start() else { return };
    let setup = Setup::new();
    let digest = |content: &[u8]| format!("digest = '{}'", Digest::of(content));
    let text = Layer { media_type: "text/plain", content: b"hello", annotations: &[] };
    registry.push("text", "1", &text);
    setup.configure("", &format!("oci://{}/text:1", registry.address()), &digest(b"hello"));
    setup.refused(&["the file is no WebAssembly"]);
    setup.configure("", &format!("oci://{}/nowhere:1", registry.address()), &digest(b"hello"));
    setup.refused(&["/v2/nowhere/manifests/1' answers 404"]);
}

#[test]
fn a_registry_has_the_signature_that_cosign_would_push() {
    let Some(registry) = Registry::start() else { return };
    let setup = Setup::new();
    if setup.make_key("ours").and(setup.make_key("theirs")).is_none() {
        return;
    }
    let manifest = registry.push("p", "1", &wasm(&plugin()));
    let other = registry.push("p", "2", &wasm(&fs::read(artifacts::guest("trap")).unwrap()));
    setup.configure("", &format!("oci://{}/p:1", registry.address()), "signed_by = 'ours.pub'");
    setup.refused(&["there is no signature at '", "ours.pub' must have signed it"]);

    let push_signature = |key: &str, about: Digest| {
        let payload = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":""}},"image":{{"docker-manifest-digest":"{about}"}},"type":"cosign container image signature"}},"optional":null}}"#
        );
        let signature = setup.sign(key, payload.as_bytes());
        let layer = Layer {
            media_type: "application/vnd.dev.cosign.simplesigning.v1+json",
            content: payload.as_bytes(),
            annotations: &[("dev.cosignproject.cosign/signature", &signature)],
        };
        registry.push("p", &format!("sha256-{}.sig", manifest.hex()), &layer);
    };
    push_signature("theirs", manifest);
    setup.refused(&["is not one of '", "ours.pub' for this plugin"]);
    push_signature("ours", other);
    setup.refused(&["is not one of '", "ours.pub' for this plugin"]);
    push_signature("ours", manifest);
    setup.accepted(&[]);

    // Plugin and signature are kept, so that the registry need not be there.
    let pinned = format!("signed_by = 'ours.pub'\ndigest = '{}'", Digest::of(&plugin()));
    let source = format!("oci://{}/p:1", registry.address());
    setup.configure("cache_directory = 'cache'", &source, &pinned);
    setup.accepted(&[]);
    drop(registry);
    setup.accepted(&[]);
    setup.configure("cache_directory = 'cache'", &source, &pinned.replace("ours", "theirs"));
    setup.refused(&["cannot get '", "its signature is not one of '", "theirs.pub'"]);
    let kept = find(setup.folder.path(), &format!("{}.signature", Digest::of(&plugin()).hex()));
    fs::write(&kept, "{}").unwrap();
    setup.configure("cache_directory = 'cache'", &source, &pinned);
    setup.refused(&["cannot get '", "its signature is not one of '", "ours.pub'"]);
    fs::remove_file(&kept).unwrap();
    setup.refused(&["cannot get '"]);
}

#[test]
fn https_is_followed_with_the_authorities_that_are_named() {
    let Some(registry) = Registry::start() else { return };
    registry.push("p", "1", &wasm(&plugin()));
    let setup = Setup::new();
    let names = ["127.0.0.1", "0.0.0.0"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let certificate = setup.folder.write("ca.pem", made.cert.pem());
    let key = setup.folder.write("server.key", made.signing_key.serialize_pem());
    let secured = registry.secured(Certificate { certificate: &certificate, key: &key });
    let Some(registry) = secured else { return };
    let digest = Digest::of(&plugin());
    let pinned = format!("digest = '{digest}'");
    let authority = registry.address();
    let source = format!("https://{authority}/v2/p/blobs/{digest}");
    setup.configure("", &source, &pinned);
    setup.refused(&[&format!("cannot get 'https://{authority}"), "certificate"]);
    setup.configure("ca_file = 'ca.pem'", &source, &pinned);
    setup.accepted(&[]);
    // Plain http is spoken with 127.0.0.1. This address leads there, too, and is not taken for this machine's own.
    let source = format!("oci://0.0.0.0:{}/p:1", authority.port());
    setup.configure("ca_file = 'ca.pem'", &source, &pinned);
    setup.accepted(&[]);
    setup.configure("", &source, &pinned);
    setup.refused(&[&format!("cannot get 'https://0.0.0.0:{}", authority.port()), "certificate"]);
    setup.configure("ca_file = 'ca.pem'", &source, &pinned);
    setup.folder.write("ca.pem", "no certificate");
    setup.refused(&["[plugins] ca_file", "ca.pem' cannot be used: it has no certificate"]);
}

#[test]
fn a_registry_is_told_who_asks() {
    let Some(registry) = Registry::start() else { return };
    registry.push("p", "1", &wasm(&plugin()));
    let setup = Setup::new();
    // The hash of `secret`, of the lowest cost.
    let users = "alice:$2b$04$K4ISagUDf8C76lYgU52tAewmYHzcJ0yh5mDiOJ6M1zmxRRmulwlWG\n";
    let users = setup.folder.write("users", users);
    let Some(registry) = registry.guarded(&users) else { return };
    let source = format!("oci://{}/p:1", registry.address());
    let pinned = format!("digest = '{}'", Digest::of(&plugin()));
    setup.configure("", &source, &pinned);
    setup.refused(&["answers 401; a user and password for its host can stand in plugins.credentials_file"]);
    let credentials = |password: &str| {
        let auth = STANDARD.encode(format!("alice:{password}"));
        setup.folder.write(
            "auth.json",
            format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, registry.address()),
        );
    };
    credentials("wrong");
    setup.configure("credentials_file = 'auth.json'", &source, &pinned);
    setup.refused(&["answers 401"]);
    credentials("secret");
    setup.accepted(&[]);
    setup.folder.write("auth.json", "{ secret");
    let checked = command(&setup.folder, &["check-config"]);
    assert!(checked.stderr.contains("[plugins] credentials_file"), "{}", checked.stderr);
    assert!(!checked.stderr.contains("secret"), "{}", checked.stderr);
}

#[test]
fn what_is_locked_is_used_and_nothing_else() {
    let Some(registry) = Registry::start() else { return };
    registry.push("p", "1", &wasm(&plugin()));
    let setup = Setup::new();
    setup.configure("", &format!("oci://{}/p:1", registry.address()), "");
    let locked = command(&setup.folder, &["lock"]);
    assert_eq!(locked.code, 0, "{}", locked.stderr);
    let digest = Digest::of(&plugin()).to_string();
    assert!(locked.stdout.contains(&digest) && locked.stdout.contains("is new"), "{}", locked.stdout);
    assert!(fs::read_to_string(setup.path("plugins.lock")).unwrap().contains(&digest));
    setup.accepted(&[]);
    setup.accepted(&["--locked"]);

    // Somebody pushes something else under the same tag.
    registry.push("p", "1", &wasm(&fs::read(artifacts::guest("trap")).unwrap()));
    setup.refused(&["has the digest sha256:", "by '", "plugins.lock'; `pushgate lock` writes it anew"]);

    // A file needs no pin, unless everything must be locked.
    let file = setup.folder.write("p.wasm", plugin());
    setup.configure("", file.to_str().unwrap(), "");
    setup.accepted(&[]);
    setup.configure("locked = true", file.to_str().unwrap(), "");
    setup.refused(&["plugins.lock' has it from 'oci://", "and nothing else is used"]);
    assert_eq!(command(&setup.folder, &["lock"]).code, 0);
    setup.accepted(&[]);
    fs::write(&file, fs::read(artifacts::guest("trap")).unwrap()).unwrap();
    setup.refused(&["has the digest"]);
    setup.folder.write("plugins.lock", "no lock file");
    setup.refused(&["[plugins] lock_file", "cannot be used"]);
}

#[test]
fn a_lock_that_is_enforced_allows_no_other_digest_or_signer() {
    let setup = Setup::new();
    if setup.make_key("ours").and(setup.make_key("theirs")).is_none() {
        return;
    }
    let file = setup.folder.write("p.wasm", plugin());
    let file = file.to_str().unwrap();
    let configure = |rest: &str| setup.configure("locked = true", file, rest);
    setup.folder.write("p.wasm.sig", setup.sign("ours", &plugin()));
    configure("signed_by = 'ours.pub'");
    setup.refused(&[
        "plugins.lock' does not have it, and nothing else is used; `pushgate lock` writes it anew",
    ]);
    assert_eq!(command(&setup.folder, &["lock"]).code, 0);
    setup.accepted(&[]);
    configure(&format!("signed_by = 'ours.pub'\ndigest = '{}'", Digest::of(&plugin())));
    setup.accepted(&[]);
    configure(&format!("signed_by = 'ours.pub'\ndigest = '{}'", Digest::of(b"")));
    setup.refused(&[&format!("plugins.lock' has it with the digest {}", Digest::of(&plugin()))]);
    setup.folder.write("p.wasm.sig", setup.sign("theirs", &plugin()));
    for other in ["signed_by = 'theirs.pub'", ""] {
        configure(other);
        setup.refused(&["plugins.lock' has it signed by another key, or by none"]);
    }
}
