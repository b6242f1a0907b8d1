//! One reading of the file: what it says, with certificates and keys.

use std::path::Path;

use http::HeaderMap;

use crate::document::Document;
use crate::error::{Error, Problem};
use crate::files::Files;
use crate::rate_limit::RateLimit;
use crate::tls::Tls;
use crate::users::Users;

/// A web configuration with nothing but legal values, all of one reading. It never changes; [`crate::Live`] swaps
/// whole ones.
#[derive(Debug)]
pub struct WebConfig {
    tls: Option<Tls>,
    headers: HeaderMap,
    users: Users,
    rate_limit: Option<RateLimit>,
}

impl WebConfig {
    /// Reads a file, and the certificates and keys that it names.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let mut files = Files::new();
        let text = read_text(path, &mut files).map_err(|problem| Error::new(path, problem))?;
        Self::read(&text, path, &mut files)
    }

    pub(crate) fn read(text: &str, path: &Path, files: &mut Files) -> Result<Self, Error> {
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::of(text, folder, files).map_err(|problem| Error::new(path, problem))
    }

    fn of(text: &str, folder: &Path, files: &mut Files) -> Result<Self, Problem> {
        let Document { tls, http2, headers, users, rate_limit } = Document::read(text, folder)?;
        let tls = tls.map(|section| section.tls(http2, files)).transpose()?;
        Ok(Self { tls, headers, users, rate_limit })
    }

    /// How to speak TLS, if that is asked for.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// What to add to every answer.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Who may enter.
    pub fn users(&self) -> &Users {
        &self.users
    }

    /// How many may enter.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        self.rate_limit
    }
}

pub(crate) fn read_text(path: &Path, files: &mut Files) -> Result<String, Problem> {
    let bytes = files.read(path).map_err(|error| Problem::of_file(format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|_| Problem::of_file("is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Authority, Folder, SECRET};

    #[test]
    fn what_is_wrong_is_told_with_its_line_its_key_and_the_mend() {
        let folder = Folder::new();
        let server = Authority::new("servers").localhost();
        folder.write("c.pem", &server.certificate);
        folder.write("c.key", &server.key);
        let told = |text: &str| {
            let path = folder.write("web.yml", text);
            let error = WebConfig::load(&path).map_or_else(|error| error.to_string(), |_| "good".to_owned());
            error.replace(&*path.to_string_lossy(), "web.yml")
        };
        for good in [
            "",
            "null",
            "# nothing",
            "{}",
            "tls_server_config:\n",
            "tls_server_config: {}\nbasic_auth_users:\n",
            "tls_server_config:\n  min_version: TLS13\n",
        ] {
            assert_eq!(told(good), "good", "{good}");
        }
        for (text, expected) in [
            (
                "\nfoo: 1",
                "web.yml:2: foo: unknown key; allowed: tls_server_config, http_server_config, basic_auth_users, rate_limit",
            ),
            ("[]", "web.yml:1: must be a mapping; write 'key: value' lines"),
            (
                "basic_auth_users: [a]",
                "web.yml:1: basic_auth_users: must be a mapping; write 'key: value' lines",
            ),
            (
                "http_server_config:\n  http3: true",
                "web.yml:2: http_server_config.http3: unknown key; allowed: http2, headers",
            ),
            (
                "http_server_config:\n  http2: 'false'",
                "web.yml:2: http_server_config.http2: must be true or false, without quotes",
            ),
            (
                "http_server_config:\n  headers:\n    X-Frame-Options: x",
                "web.yml:3: http_server_config.headers.X-Frame-Options: has no such value; allowed: deny, sameorigin",
            ),
            (
                "rate_limit:\n  burst: 1",
                "web.yml:2: rate_limit.burst: limits nothing without an interval; add one, such as interval: 1s",
            ),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
        let pair = "cert_file: c.pem\n  key_file: c.key\n  ";
        for (text, expected) in [
            ("key_file: c.key", "1: tls_server_config: needs a certificate; add cert_file or cert"),
            (
                "client_auth_type: RequestClientCert",
                "1: tls_server_config: needs a certificate; add cert_file or cert",
            ),
            (
                "cert_file: c.pem",
                "1: tls_server_config: needs the key of the certificate; add key_file or key",
            ),
            (
                "cert_file: c.pem\n  cert: x",
                "3: tls_server_config.cert: stands beside tls_server_config.cert_file; remove one",
            ),
            (
                "PAIRca: x",
                "4: tls_server_config.ca: unknown key; allowed: cert, cert_file, key, key_file, client_ca, \
              client_ca_file, client_auth_type, client_allowed_sans, min_version, max_version, cipher_suites, \
              prefer_server_cipher_suites, curve_preferences",
            ),
            (
                "PAIRclient_auth_type: Any",
                "4: tls_server_config.client_auth_type: 'Any' is not supported; supported: NoClientCert, \
              RequestClientCert, RequireAnyClientCert, RequireClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert",
            ),
            (
                "PAIRclient_auth_type: VerifyClientCertIfGiven",
                "4: tls_server_config.client_auth_type: needs the authorities of the clients; add client_ca_file or client_ca",
            ),
            (
                "PAIRclient_allowed_sans: [a]",
                "4: tls_server_config.client_allowed_sans: is never checked; add client_auth_type: RequireAndVerifyClientCert",
            ),
            (
                "PAIRclient_auth_type: RequestClientCert\n  client_allowed_sans: []",
                "5: tls_server_config.client_allowed_sans: allows nobody; name who may come, or remove it",
            ),
            (
                "PAIRclient_auth_type: RequestClientCert\n  client_allowed_sans: a",
                "5: tls_server_config.client_allowed_sans: must be a list; write [first, second]",
            ),
            (
                "PAIRmin_version: TLS11",
                "4: tls_server_config.min_version: 'TLS11' is not supported; supported: TLS12, TLS13",
            ),
            (
                "PAIRmin_version: TLS13\n  max_version: TLS12",
                "4: tls_server_config.min_version: is above max_version; swap them",
            ),
            (
                "PAIRcurve_preferences: [X25519, CurveP521]",
                "4: tls_server_config.curve_preferences: 'CurveP521' is not supported; supported: X25519, CurveP256, CurveP384",
            ),
            (
                "PAIRprefer_server_cipher_suites: 1",
                "4: tls_server_config.prefer_server_cipher_suites: must be true or false, without quotes",
            ),
        ] {
            let text = format!("tls_server_config:\n  {}\n", text.replace("PAIR", pair));
            assert_eq!(told(&text), format!("web.yml:{expected}"), "{text}");
        }
        let told = told(&format!("tls_server_config:\n  {pair}client_ca_file: c.pem"));
        assert!(
            told.starts_with("web.yml:1: tls_server_config: asks no client for a certificate, "),
            "{told}"
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told() {
        let folder = Folder::new();
        let told = WebConfig::load(&folder.path("none.yml")).unwrap_err().to_string();
        assert!(told.ends_with("none.yml: cannot be read: No such file or directory (os error 2)"), "{told}");
        std::fs::write(folder.path("binary"), [0xff]).unwrap();
        let told = WebConfig::load(&folder.path("binary")).unwrap_err().to_string();
        assert!(told.ends_with("binary: is not UTF-8"), "{told}");
    }

    #[test]
    fn nothing_secret_is_told_or_shown() {
        let folder = Folder::new();
        let secret = &SECRET[7..40];
        for text in [
            format!("basic_auth_users: {SECRET}"),
            format!("basic_auth_users:\n  a: {SECRET}x"),
            format!("basic_auth_users:\n  a: [{SECRET}]"),
            format!("basic_auth_users:\n  a: '{SECRET}"),
            format!("tls_server_config:\n  cert: {SECRET}\n  key: {SECRET}"),
            format!("tls_server_config:\n  key: [{SECRET}]"),
            format!("http_server_config: {SECRET}"),
            format!("rate_limit:\n  burst: {SECRET}\n  interval: {SECRET}"),
            SECRET.to_owned(),
        ] {
            let error = WebConfig::load(&folder.write("web.yml", &text)).unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(!told.contains(secret), "{told}");
        }
        let good =
            WebConfig::load(&folder.write("web.yml", &format!("basic_auth_users:\n  a: {SECRET}"))).unwrap();
        assert!(!format!("{good:?}").contains(secret));
    }
}
