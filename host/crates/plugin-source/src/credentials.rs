//! Users and passwords of registries and servers, in the file that docker, podman and oras write.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::SettingsError;

/// What `auths` of a file such as `~/.docker/config.json` says: for each host, user and password.
#[derive(Default)]
pub(crate) struct Credentials(HashMap<String, String>);

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    auths: HashMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

impl Credentials {
    /// Reads the content of a file.
    pub(crate) fn read(content: &[u8], path: &Path) -> Result<Self, SettingsError> {
        let refused = |reason: String| SettingsError::Credentials { path: path.to_owned(), reason };
        // serde tells of a value that is of the wrong type what it is, and it may be the password.
        let document: Document = serde_json::from_slice(content).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            refused(format!(
                "it is not a docker configuration, {{\"auths\": {{\"host\": {{\"auth\": \"...\"}}}}}}; line {line}, column {column}"
            ))
        })?;
        let mut authorizations = HashMap::new();
        for (host, entry) in document.auths {
            let basic = match entry {
                Entry { auth: Some(auth), .. } if !auth.is_empty() => auth,
                Entry { username: Some(user), password: Some(password), .. } => {
                    STANDARD.encode(format!("{user}:{password}"))
                }
                _ => {
                    return Err(refused(format!(
                        "'{host}' has neither auth nor username and password; credential helpers are not asked"
                    )));
                }
            };
            if STANDARD.decode(&basic).is_err() {
                return Err(refused(format!("auth of '{host}' is not base64")));
            }
            let host = host.trim_start_matches("https://").trim_end_matches('/');
            authorizations.insert(host.to_owned(), format!("Basic {basic}"));
        }
        Ok(Self(authorizations))
    }

    /// What to send to a host, which may have a port.
    pub(crate) fn of(&self, host: &str) -> Option<&str> {
        self.0.get(host).map(String::as_str)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Credentials, String> {
        Credentials::read(content.as_bytes(), Path::new("auth.json")).map_err(|error| error.to_string())
    }

    #[test]
    fn users_are_found_by_their_host() {
        let credentials = read(
            r#"{"auths": {"ghcr.io": {"auth": "dTpw"}, "https://r.example:5000/": {"username": "u", "password": "p"}},
                "credsStore": "x"}"#,
        )
        .unwrap();
        assert_eq!(credentials.of("ghcr.io"), Some("Basic dTpw"));
        assert_eq!(credentials.of("r.example:5000"), Some("Basic dTpw"));
        assert_eq!(credentials.of("r.example"), None);
        assert!(!format!("{credentials:?}").contains("dTpw"));
        assert!(read("{}").is_ok());
    }

    #[test]
    fn a_file_that_cannot_be_used_is_told_without_its_secrets() {
        for (content, expected) in [
            ("", "it is not a docker configuration"),
            (r#"{"auths": {"h": {"password": 5}}}"#, "line 1"),
            (r#"{"auths": {"h": "secret"}}"#, "it is not a docker configuration"),
            (r#"{"auths": {"h": {}}}"#, "'h' has neither auth nor username and password"),
            (r#"{"auths": {"h": {"auth": "sec:ret"}}}"#, "auth of 'h' is not base64"),
        ] {
            let told = read(content).unwrap_err();
            assert!(told.contains("'auth.json'") && told.contains(expected), "{content}: {told}");
            assert!(!told.contains("secret") && !told.contains("sec:ret"), "{told}");
        }
    }
}
