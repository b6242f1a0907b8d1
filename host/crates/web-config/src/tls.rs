//! TLS as the file asks for it.
//!
//! The cryptography is ring's, named explicitly so that no other crate of the program can change it.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::{Error, ServerConfig, ServerConnection, version};

use crate::client_auth::{ClientAuth, ClientVerifier, names_of};
use crate::document::TlsSection;
use crate::error::Problem;
use crate::files::Files;
use crate::pem;

/// How to speak TLS on a connection.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ServerConfig>,
    client_auth: ClientAuth,
}

impl Tls {
    /// What to shake hands with.
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// The alternative names in the certificate of the client, on a connection that this was spoken on: DNS names, e-mail
    /// addresses, URIs and IP addresses. None if nobody has verified the certificate, since it could say anything then.
    pub fn names_of_client(&self, connection: &ServerConnection) -> Vec<String> {
        let certificates = connection.peer_certificates().filter(|_| self.client_auth.verifies());
        certificates.and_then(<[_]>::first).map(names_of).unwrap_or_default()
    }
}

impl TlsSection {
    /// Reads certificates and keys and puts all together.
    pub(crate) fn tls(&self, http2: bool, files: &mut Files) -> Result<Tls, Problem> {
        // Every file is read, and so watched, before the first problem ends this.
        let certificate = self.certificate.pem(files);
        let key = self.key.pem(files);
        let client_ca = self.client_ca.as_ref().map(|source| source.pem(files));
        let (certificate, key, client_ca) = (certificate?, key?, client_ca.transpose()?);

        let chain = pem::certificates(&certificate).map_err(|told| self.certificate.problem(told))?;
        let key = pem::private_key(&key).map_err(|told| self.key.problem(told))?;
        let provider = Arc::new(self.provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions)
            .map_err(|_| {
                self.certificate
                    .problem("no chosen cipher suite or curve is of a chosen TLS version; add one")
            })?;
        let builder = match self.client_verifier(client_ca.as_deref(), &provider)? {
            Some(verifier) => builder.with_client_cert_verifier(Arc::new(verifier)),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
            Error::InconsistentKeys(_) => self.key.problem("is not the key of the certificate"),
            error => self.key.problem(format!("cannot be used with the certificate: {error}")),
        })?;
        config.ignore_client_order = self.server_order;
        let protocols: &[&[u8]] = if http2 { &[b"h2", b"http/1.1"] } else { &[b"http/1.1"] };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Tls { config: Arc::new(config), client_auth: self.client_auth })
    }

    fn provider(&self) -> CryptoProvider {
        let mut provider = ring::default_provider();
        if !self.cipher_suites.is_empty() {
            // As in Go, those of TLS 1.3 are not for choosing.
            provider
                .cipher_suites
                .retain(|suite| suite.version() == &version::TLS13 || self.cipher_suites.contains(suite));
        }
        if !self.curves.is_empty() {
            provider.kx_groups.clone_from(&self.curves);
        }
        provider
    }

    fn client_verifier(
        &self,
        client_ca: Option<&[u8]>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<ClientVerifier>, Problem> {
        if self.client_auth == ClientAuth::None {
            return Ok(None);
        }
        let problem = |told: String| self.client_ca.as_ref().unwrap_or(&self.certificate).problem(told);
        let authorities =
            client_ca.map_or(Ok(Vec::new()), pem::certificates).map_err(|told| problem(told.to_owned()))?;
        ClientVerifier::new(self.client_auth, authorities, self.client_allowed_sans.clone(), provider)
            .map(Some)
            .map_err(problem)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::IpAddr;

    use rcgen::SanType;
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};

    use super::*;
    use crate::WebConfig;
    use crate::testing::{Authority, Folder, Identity};

    struct Setting {
        folder: Folder,
        server_ca: Authority,
        client_ca: Authority,
    }

    impl Setting {
        fn new() -> Self {
            let (folder, server_ca, client_ca) =
                (Folder::new(), Authority::new("servers"), Authority::new("clients"));
            let server = server_ca.localhost();
            folder.write("server.pem", &server.certificate);
            folder.write("server.key", &server.key);
            folder.write("clients.pem", &client_ca.certificate);
            Self { folder, server_ca, client_ca }
        }

        /// A server with the certificates above and the given lines of `tls_server_config`.
        fn server(&self, lines: &str) -> Result<Tls, String> {
            let text =
                format!("tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n{lines}");
            let path = self.folder.write("web.yml", &text);
            let config = WebConfig::load(&path)
                .map_err(|error| error.to_string().replace(&*path.to_string_lossy(), "web.yml"))?;
            Ok(config.tls().unwrap().clone())
        }

        fn client(&self, identity: Option<&Identity>) -> ClientConfig {
            let mut roots = RootCertStore::empty();
            roots.add(pem::certificates(self.server_ca.certificate.as_bytes()).unwrap().remove(0)).unwrap();
            let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots);
            let Some(identity) = identity else { return builder.with_no_client_auth() };
            let chain = pem::certificates(identity.certificate.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, pem::private_key(identity.key.as_bytes()).unwrap()).unwrap()
        }
    }

    /// Takes both sides through a handshake, in memory.
    fn shake_hands(server: &Tls, client: impl Into<Arc<ClientConfig>>) -> Result<ServerConnection, String> {
        let mut server = ServerConnection::new(Arc::clone(server.config())).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = ClientConnection::new(client.into(), name).unwrap();
        while server.is_handshaking() || client.is_handshaking() || client.wants_write() {
            let mut bytes = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut bytes).unwrap();
            }
            let mut bytes = io::Cursor::new(bytes);
            while server.read_tls(&mut bytes).unwrap() > 0 {
                server.process_new_packets().map_err(|error| error.to_string())?;
            }
            let mut bytes = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut bytes).unwrap();
            }
            let mut bytes = io::Cursor::new(bytes);
            while client.read_tls(&mut bytes).unwrap() > 0 {
                client.process_new_packets().map_err(|error| format!("client: {error}"))?;
            }
        }
        Ok(server)
    }

    #[test]
    fn every_kind_of_client_auth_lets_in_whom_it_says() {
        let setting = Setting::new();
        let known = setting.client_ca.identity(&[]);
        let stranger = Authority::new("others").identity(&[]);
        let ca = "  client_ca_file: clients.pem\n";
        // Whether a client gets in without a certificate, with a stranger's and with a known one.
        for (kind, ca, expected) in [
            ("NoClientCert", "", [true, true, true]),
            ("RequestClientCert", "", [true, true, true]),
            ("RequestClientCert", ca, [true, true, true]),
            ("RequireAnyClientCert", "", [false, true, true]),
            ("RequireClientCert", "", [false, true, true]),
            ("VerifyClientCertIfGiven", ca, [true, false, true]),
            ("RequireAndVerifyClientCert", ca, [false, false, true]),
        ] {
            for version in ["TLS12", "TLS13"] {
                let lines = format!(
                    "  client_auth_type: {kind}\n  max_version: {version}\n  min_version: {version}\n{ca}"
                );
                let server = setting.server(&lines).unwrap();
                let clients = [None, Some(&stranger), Some(&known)];
                let entered = clients.map(|identity| shake_hands(&server, setting.client(identity)).is_ok());
                assert_eq!(entered, expected, "{lines}");
            }
        }
    }

    #[test]
    fn a_certificate_must_be_for_an_allowed_name() {
        let setting = Setting::new();
        let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
        let mail = |name: &str| SanType::Rfc822Name(name.try_into().unwrap());
        let uri = |name: &str| SanType::URI(name.try_into().unwrap());
        let address = |address: &str| SanType::IpAddress(address.parse::<IpAddr>().unwrap());
        let lines = "  client_ca_file: clients.pem\n  client_auth_type: VerifyClientCertIfGiven\n  \
                     client_allowed_sans: [job.example.org, ops@example.org, 192.0.2.1, '2001:db8::1', 'spiffe://example.org/job']\n";
        let server = setting.server(lines).unwrap();
        for (names, expected) in [
            (vec![dns("job.example.org")], true),
            (vec![mail("ops@example.org")], true),
            (vec![address("192.0.2.1")], true),
            (vec![address("2001:db8::1")], true),
            (vec![uri("spiffe://example.org/job")], true),
            (vec![dns("other.example.org"), address("192.0.2.1")], true),
            (vec![], false),
            (vec![dns("other.example.org")], false),
            (vec![dns("*.example.org")], false),
            (vec![dns("192.0.2.1.example.org"), mail("job@example.org"), address("192.0.2.2")], false),
        ] {
            let identity = setting.client_ca.identity(&names);
            let entered = shake_hands(&server, setting.client(Some(&identity))).is_ok();
            assert_eq!(entered, expected, "{names:?}");
        }
        assert!(shake_hands(&server, setting.client(None)).is_ok(), "as in the original");
        let stranger = Authority::new("others").identity(&[dns("job.example.org")]);
        assert!(shake_hands(&server, setting.client(Some(&stranger))).is_err(), "a name alone is no proof");
        let server = setting
            .server("  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [job.example.org]\n")
            .unwrap();
        assert!(shake_hands(&server, setting.client(Some(&stranger))).is_ok());
        let other = setting.client_ca.identity(&[dns("other.example.org")]);
        assert!(shake_hands(&server, setting.client(Some(&other))).is_err());
    }

    #[test]
    fn only_names_of_verified_certificates_are_told() {
        let setting = Setting::new();
        let name = [SanType::DnsName("job.example.org".try_into().unwrap())];
        let (known, stranger) = (setting.client_ca.identity(&name), Authority::new("others").identity(&name));
        let ca = "  client_ca_file: clients.pem\n";
        for (kind, ca, identity, expected) in [
            ("NoClientCert", "", Some(&known), &[][..]),
            ("RequestClientCert", ca, Some(&known), &[]),
            ("RequestClientCert", "", Some(&stranger), &[]),
            ("RequireAnyClientCert", "", Some(&stranger), &[]),
            ("RequireAnyClientCert", "  client_allowed_sans: [job.example.org]\n", Some(&stranger), &[]),
            ("VerifyClientCertIfGiven", ca, None, &[]),
            ("VerifyClientCertIfGiven", ca, Some(&known), &["job.example.org"]),
            ("RequireAndVerifyClientCert", ca, Some(&known), &["job.example.org"]),
        ] {
            let server = setting.server(&format!("  client_auth_type: {kind}\n{ca}")).unwrap();
            let client = Arc::new(setting.client(identity));
            for handshake in [HandshakeKind::Full, HandshakeKind::Resumed] {
                let connection = shake_hands(&server, client.clone()).unwrap();
                assert_eq!(connection.handshake_kind(), Some(handshake), "{kind}");
                assert_eq!(server.names_of_client(&connection), expected, "{kind}");
            }
        }
    }

    #[test]
    fn no_name_passes_for_one_of_another_kind() {
        let setting = Setting::new();
        let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
        let mail = |name: &str| SanType::Rfc822Name(name.try_into().unwrap());
        let uri = |name: &str| SanType::URI(name.try_into().unwrap());
        let address = |address: &str| SanType::IpAddress(address.parse::<IpAddr>().unwrap());
        let ca = "  client_ca_file: clients.pem\n  client_auth_type: RequireAndVerifyClientCert\n";
        let server = setting.server(ca).unwrap();
        let (longest, too_long) = ("n".repeat(1 << 10), "n".repeat((1 << 10) + 1));
        let many: Vec<_> = (0..65).map(|number| format!("n{number}")).collect();
        for (names, expected) in [
            (vec![dns("db1.example.org"), dns("*.example.org")], vec!["db1.example.org", "*.example.org"]),
            (vec![mail("ops@example.org")], vec!["ops@example.org"]),
            (vec![uri("spiffe://example.org/ci"), uri("urn:ci")], vec!["spiffe://example.org/ci", "urn:ci"]),
            (
                vec![address("192.0.2.1"), address("2001:db8::1"), address("::ffff:192.0.2.1")],
                vec!["192.0.2.1", "2001:db8::1", "192.0.2.1"],
            ),
            (
                vec![mail("db1.example.org"), uri("db1.example.org"), dns("a\nb"), dns("ops@example.org")],
                vec![],
            ),
            (vec![dns("192.0.2.1"), dns("2001:db8::1"), uri("2001:db8::1"), mail("spiffe://a@b")], vec![]),
            (vec![dns(&longest), dns(&too_long)], vec![longest.as_str()]),
            (many.iter().map(|name| dns(name)).collect(), many[..64].iter().map(String::as_str).collect()),
        ] {
            let identity = setting.client_ca.identity(&names);
            let connection = shake_hands(&server, setting.client(Some(&identity))).unwrap();
            assert_eq!(server.names_of_client(&connection), expected, "{names:?}");
        }
    }

    #[test]
    fn versions_suites_and_curves_are_those_chosen() {
        let setting = Setting::new();
        let show = |lines: &str| {
            let server = setting.server(lines)?;
            let connection = shake_hands(&server, setting.client(None))?;
            let version =
                connection.protocol_version().and_then(|version| version.as_str().map(str::to_owned));
            let suite = connection.negotiated_cipher_suite().unwrap().suite();
            let curve = connection.negotiated_key_exchange_group().unwrap().name();
            Ok::<_, String>(format!("{} {suite:?} {curve:?}", version.unwrap()))
        };
        for (lines, expected) in [
            ("", "TLSv1_3 TLS13_AES_256_GCM_SHA384 X25519"),
            ("  max_version: TLS12\n", "TLSv1_2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 X25519"),
            (
                "  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n",
                "TLSv1_2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 X25519",
            ),
            (
                "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n",
                "TLSv1_3 TLS13_AES_256_GCM_SHA384 X25519",
            ),
            ("  curve_preferences: [CurveP384]\n", "TLSv1_3 TLS13_AES_256_GCM_SHA384 secp384r1"),
        ] {
            assert_eq!(show(lines).as_deref(), Ok(expected), "{lines}");
        }
        assert_eq!(
            show("  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n").unwrap_err(),
            "web.yml:2: tls_server_config.cert_file: no chosen cipher suite or curve is of a chosen TLS version; add one"
        );
    }

    #[test]
    fn http2_is_offered_unless_switched_off() {
        let setting = Setting::new();
        for (http2, expected) in [("true", &b"h2"[..]), ("false", b"http/1.1")] {
            let server = setting.server(&format!("http_server_config:\n  http2: {http2}\n")).unwrap();
            let mut client = setting.client(None);
            client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            assert_eq!(shake_hands(&server, client).unwrap().alpn_protocol(), Some(expected));
        }
    }

    #[test]
    fn what_stands_in_the_file_itself_is_as_good() {
        let setting = Setting::new();
        let server = setting.server_ca.localhost();
        let indented = |pem: &str| pem.lines().map(|line| format!("    {line}\n")).collect::<String>();
        let text = format!(
            "tls_server_config:\n  cert: |\n{}  key: |\n{}",
            indented(&server.certificate),
            indented(&server.key)
        );
        let config = WebConfig::load(&setting.folder.write("inline.yml", &text)).unwrap();
        assert!(shake_hands(config.tls().unwrap(), setting.client(None)).is_ok());
        let shown = format!("{config:?}");
        let secret = server.key.lines().nth(1).unwrap();
        assert!(!shown.contains(secret), "{shown}");
    }

    #[test]
    fn files_that_cannot_be_used_are_told_by_their_keys() {
        let setting = Setting::new();
        let other = setting.server_ca.localhost();
        setting.folder.write("other.key", &other.key);
        setting.folder.write("empty.pem", "");
        setting.folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        for (text, expected) in [
            (
                "cert_file: none.pem\n  key_file: server.key",
                "web.yml:2: tls_server_config.cert_file: cannot read '",
            ),
            ("cert_file: server.pem\n  key_file: .", "web.yml:3: tls_server_config.key_file: cannot read '"),
            (
                "cert_file: empty.pem\n  key_file: server.key",
                "web.yml:2: tls_server_config.cert_file: has no readable certificate; ",
            ),
            (
                "cert_file: server.pem\n  key_file: server.pem",
                "web.yml:3: tls_server_config.key_file: has no private key that can be read; ",
            ),
            (
                "cert_file: server.pem\n  key_file: other.key",
                "web.yml:3: tls_server_config.key_file: is not the key of the certificate",
            ),
            (
                "cert_file: broken.pem\n  key_file: server.key",
                "web.yml:3: tls_server_config.key_file: cannot be used with the certificate: ",
            ),
            (
                "cert_file: server.pem\n  key_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: broken.pem",
                "web.yml:5: tls_server_config.client_ca_file: has a certificate that cannot be used: ",
            ),
        ] {
            let path = setting.folder.write("web.yml", &format!("tls_server_config:\n  {text}\n"));
            let told = WebConfig::load(&path).unwrap_err().to_string();
            assert!(told.replace(&*path.to_string_lossy(), "web.yml").starts_with(expected), "{told}");
        }
    }
}
