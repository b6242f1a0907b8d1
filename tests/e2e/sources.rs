//! Plugins from files, https and a real OCI registry: pinned, signed, locked, kept.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::gateway::command;
use e2e::process::finish;
use e2e::registry::{Certificate, Layer, Registry};
use e2e::tools::{Tool, require};
use e2e::{Folder, Gateway, artifacts};
use pushgate_plugin_host::Digest;

fn plugin() -> Vec<u8> {
    fs::read(artifacts::guest("scribe")).unwrap()
}

fn wasm(content: &[u8]) -> Layer<'_> {
    Layer { media_type: "application/wasm", content, annotations: &[] }
}

/// A folder with a configuration of one plugin.
struct Setup {
    folder: Folder,
}

impl Setup {
    fn new() -> Self {
        let folder = Folder::new();
        fs::create_dir(folder.path().join("cache")).unwrap();
        // The cache is not used when somebody else may write to it.
        assert!(
            Command::new("chmod").arg("700").arg(folder.path().join("cache")).status().unwrap().success()
        );
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, plugins: &str, source: &str, rest: &str) {
        let config = format!(
            "[web]\nlisten_address = ['127.0.0.1:0']\n[plugins]\n{plugins}\n\
             [[plugin]]\nname = 'p'\nsource = '{source}'\n{rest}\n[plugin.config]\nwrite = 'x'\n"
        );
        self.folder.write("config.toml", config);
    }

    /// What the check of the configuration says that is wrong.
    #[track_caller]
    fn refused(&self, expected: &[&str]) {
        let checked = command(&self.folder, &["check-config"]);
        assert_eq!(checked.code, 1, "{}{}", checked.stdout, checked.stderr);
        for part in expected {
            assert!(checked.stderr.contains(part), "'{part}' in {}", checked.stderr);
        }
    }

    #[track_caller]
    fn accepted(&self, flags: &[&str]) {
        let checked = command(&self.folder, &[flags, &["check-config"]].concat());
        assert_eq!(checked.code, 0, "{}", checked.stderr);
    }

    /// A key pair, in `<name>.key` and `<name>.pub`; `None` skips the test.
    fn make_key(&self, name: &str) -> Option<()> {
        let openssl = require(Tool::Openssl)?;
        let (private, public) = (format!("{name}.key"), format!("{name}.pub"));
        for arguments in [
            &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &private] as &[_],
            &["ec", "-in", &private, "-pubout", "-out", &public],
        ] {
            let made = finish(Command::new(&openssl).args(arguments).current_dir(self.folder.path()), b"");
            assert_eq!(made.code, 0, "{}", made.stderr);
        }
        Some(())
    }

    /// What openssl signs with a key, in base64.
    fn sign(&self, key: &str, content: &[u8]) -> String {
        let file = self.folder.write("to-be-signed", content);
        let mut openssl = Command::new(require(Tool::Openssl).unwrap());
        openssl.args(["dgst", "-sha256", "-sign", &format!("{key}.key"), "-out", "signature"]).arg(file);
        let signed = finish(openssl.current_dir(self.folder.path()), b"");
        assert_eq!(signed.code, 0, "{}", signed.stderr);
        STANDARD.encode(fs::read(self.path("signature")).unwrap())
    }
}

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
    assert!(checked.stderr.contains("cannot get 'http://127.0.0.1"), "{}", checked.stderr);
}

/// The file of that name below a folder.
fn find(folder: &Path, name: &str) -> PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|file| file == name) {
                return path;
            }
        }
    }
    panic!("there is no {name}");
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
}

#[test]
fn https_is_followed_with_the_authorities_that_are_named() {
    let Some(registry) = Registry::start() else { return };
    registry.push("p", "1", &wasm(&plugin()));
    let setup = Setup::new();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
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

/// A server that answers every request with these bytes, and then with `more` for as long as anybody listens.
fn answering(head: String, more: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut connection, head) = (connection.unwrap(), head.clone());
            thread::spawn(move || {
                let _ = connection.read(&mut [0; 4096]);
                let mut sent = connection.write_all(head.as_bytes());
                while sent.is_ok() && !more.is_empty() {
                    sent = connection.write_all(more);
                }
            });
        }
    });
    address
}

#[test]
fn a_server_that_does_not_keep_to_the_rules_is_named() {
    let setup = Setup::new();
    let pinned = format!("digest = '{}'", Digest::of(b""));
    let check = |rule: &str, address: SocketAddr, expected: &[&str]| {
        setup.configure("fetch_timeout = '2s'", &format!("http://{address}/p.wasm"), &pinned);
        let place = format!("'http://{address}/p.wasm'");
        println!("{rule}");
        setup.refused(&[&[place.as_str()], expected].concat());
    };
    let ok = "HTTP/1.1 200 OK\r\n";
    check(
        "announced to be too large",
        answering(format!("{ok}Content-Length: 33554433\r\n\r\n"), b""),
        &["has more than the 33554432 bytes that are allowed"],
    );
    check(
        "endless",
        answering(format!("{ok}Connection: close\r\n\r\n"), &[b'x'; 64 << 10]),
        &["has more than the 33554432 bytes that are allowed"],
    );
    check(
        "shorter than announced",
        answering(format!("{ok}Content-Length: 9\r\n\r\nabc"), b""),
        &["broke off"],
    );
    check("no answer", answering(String::new(), b""), &["cannot get"]);
    check(
        "a redirect to what is not encrypted",
        answering(
            "HTTP/1.1 302 Found\r\nLocation: http://example.org/p.wasm\r\nContent-Length: 0\r\n\r\n".into(),
            b"",
        ),
        &["redirects to a place that is not followed: 'http://example.org/p.wasm' is not encrypted"],
    );
    let circle = "HTTP/1.1 302 Found\r\nLocation: /p.wasm\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    check("a circle", answering(circle.into(), b""), &["it is the redirect number"]);
}
