//! A real OCI registry.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use pushgate_plugin_host::Digest;

use crate::Folder;
use crate::http::Request;
use crate::process::Server;
use crate::tools::{Tool, require};

/// A registry with a port and a folder of its own.
#[derive(Debug)]
pub struct Registry {
    server: Server,
    address: SocketAddr,
}

/// The certificate that a registry shows, which is its own authority, and its key.
#[derive(Debug, Clone, Copy)]
pub struct Certificate<'a> {
    /// In PEM.
    pub certificate: &'a Path,
    /// In PEM.
    pub key: &'a Path,
}

/// Where the tokens that a registry wants are given out.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a> {
    /// The URL. They are those of the issuer `tests` for the service `registry`.
    pub realm: &'a str,
    /// The certificate of the key that signs them, in PEM.
    pub certificate: &'a Path,
}

impl Registry {
    /// Starts one that speaks plain HTTP; `None` skips the test, see [`require`].
    pub fn start() -> Option<Self> {
        Self::start_with(Folder::new(), "")
    }

    /// Ends it and starts one with what was pushed to it, behind TLS.
    pub fn secured(mut self, certificate: Certificate<'_>) -> Option<Self> {
        let Certificate { certificate, key } = certificate;
        let tls = format!("  tls: {{certificate: '{}', key: '{}'}}\n", certificate.display(), key.display());
        Self::start_with(self.server.take_folder(), &tls)
    }

    /// Ends it and starts one with what was pushed to it, which asks for a user of this file (htpasswd).
    pub fn guarded(mut self, users: &Path) -> Option<Self> {
        let auth = format!("auth:\n  htpasswd: {{realm: tests, path: '{}'}}\n", users.display());
        Self::start_with(self.server.take_folder(), &auth)
    }

    /// Ends it and starts one with what was pushed to it, which wants tokens.
    pub fn with_tokens(mut self, Tokens { realm, certificate }: Tokens<'_>) -> Option<Self> {
        let bundle = certificate.display();
        let auth = format!(
            "auth:\n  token: {{realm: '{realm}', service: registry, issuer: tests, rootcertbundle: '{bundle}'}}\n"
        );
        Self::start_with(self.server.take_folder(), &auth)
    }

    fn start_with(folder: Folder, rest: &str) -> Option<Self> {
        let program = require(Tool::Registry)?;
        let data = folder.path().join("data");
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem: {{rootdirectory: '{}'}}\nhttp:\n  addr: 127.0.0.1:0\n{rest}",
            data.display()
        );
        let config = folder.write("registry.yml", config);
        let mut command = Command::new(program);
        command.arg("serve").arg(config);
        let mut server = Server::start("docker-registry", command, folder);
        let address = server.await_line("listens", |line| {
            let (_, rest) = line.split_once("listening on ")?;
            rest.split([',', '"', ' ']).next()?.parse().ok()
        });
        Some(Self { server, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Pushes an artefact of one layer, as `wkg` and `oras` do. Returns the digest of its manifest.
    pub fn push(&self, repository: &str, tag: &str, layer: &Layer<'_>) -> Digest {
        let config = self.push_blob(repository, b"{}");
        let content = self.push_blob(repository, layer.content);
        let annotations = layer.annotations.iter().map(|(name, value)| format!("\"{name}\": \"{value}\""));
        let manifest = format!(
            r#"{{"schemaVersion": 2, "mediaType": "{MANIFEST}",
            "config": {{"mediaType": "application/vnd.wasm.config.v0+json", "digest": "{config}", "size": 2}},
            "layers": [{{"mediaType": "{}", "digest": "{content}", "size": {}, "annotations": {{{}}}}}]}}"#,
            layer.media_type,
            layer.content.len(),
            annotations.collect::<Vec<_>>().join(", ")
        );
        Request::new(self.address, "PUT", &format!("/v2/{repository}/manifests/{tag}"))
            .header("Content-Type", MANIFEST)
            .body(manifest.clone())
            .send()
            .expect(201);
        Digest::of(manifest.as_bytes())
    }

    fn push_blob(&self, repository: &str, content: &[u8]) -> Digest {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let begun = Request::new(self.address, "POST", &path).body("").send().expect(202);
        let location = begun.header("location").unwrap();
        let path = &location[location.find("/v2/").unwrap()..];
        let digest = Digest::of(content);
        let path = format!("{path}&digest={digest}");
        Request::new(self.address, "PUT", &path).body(content).send().expect(201);
        digest
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The only layer of an artefact.
#[derive(Debug)]
pub struct Layer<'a> {
    /// What it is called.
    pub media_type: &'a str,
    /// What it is.
    pub content: &'a [u8],
    /// What is said of it.
    pub annotations: &'a [(&'a str, &'a str)],
}
