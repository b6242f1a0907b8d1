//! What shows who signed a plugin.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pushgate_cache::Digest;
use serde::{Deserialize, Serialize};

use crate::PublicKey;
use crate::oci::Manifest;

/// A signature, and what lies between what was signed and the plugin. It can be kept and checked again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Evidence {
    /// In base64.
    signature: String,
    /// In a registry not the plugin is signed, but a statement about its manifest.
    statement: Option<Statement>,
}

/// What `cosign sign` signs (the "simple signing" format), with the manifest that it is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Statement {
    payload: String,
    manifest: String,
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    r#type: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    manifest: String,
}

impl Evidence {
    /// A signature of the plugin itself: in base64, as `cosign sign-blob` writes it, or as it is, as openssl does.
    pub(crate) fn detached(file: &[u8]) -> Self {
        let text = file.trim_ascii();
        let signature = match STANDARD.decode(text) {
            Ok(_) => String::from_utf8_lossy(text).into_owned(),
            Err(_) => STANDARD.encode(file),
        };
        Self { signature, statement: None }
    }

    /// A signature of a statement about the manifest of the plugin.
    pub(crate) fn of_statement(signature: &str, payload: String, manifest: String) -> Self {
        Self { signature: signature.to_owned(), statement: Some(Statement { payload, manifest }) }
    }

    /// Whether it shows that the owner of the key has signed the plugin.
    pub(crate) fn shows(&self, key: &PublicKey, plugin: &[u8]) -> bool {
        let Ok(signature) = STANDARD.decode(&self.signature) else { return false };
        match &self.statement {
            None => key.has_signed(plugin, &signature),
            Some(statement) => {
                key.has_signed(statement.payload.as_bytes(), &signature) && statement.is_about(plugin)
            }
        }
    }
}

impl Statement {
    /// The payload names the manifest, which names the plugin.
    fn is_about(&self, plugin: &[u8]) -> bool {
        let Ok(Payload { critical }) = serde_json::from_str(&self.payload) else { return false };
        let Ok(manifest) = Manifest::parse(self.manifest.as_bytes()) else { return false };
        critical.r#type == "cosign container image signature"
            && critical.image.manifest == Digest::of(self.manifest.as_bytes()).to_string()
            && manifest.plugin().is_ok_and(|layer| layer.digest == Digest::of(plugin))
    }
}
