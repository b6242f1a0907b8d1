//! Who may have signed a plugin.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pushgate_cache::Digest;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm};

/// Bytes in the file of a key.
const MAX_FILE: u64 = 64 << 10;

/// How a P-256 key begins in DER: its algorithm and curve (RFC 5480); the point follows, uncompressed.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// How an Ed25519 key begins in DER (RFC 8410).
const ED: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A public key in PEM, as `cosign generate-key-pair` and `openssl pkey -pubout` write it: ECDSA on P-256, or Ed25519.
#[derive(Clone, Debug)]
pub struct PublicKey {
    algorithm: &'static dyn VerificationAlgorithm,
    point: Vec<u8>,
    fingerprint: Digest,
    path: PathBuf,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("cannot read the key '{}': {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// It is something else.
    #[error(
        "'{}' has no public key that can be used; it takes PEM, beginning with '-----BEGIN PUBLIC KEY-----', \
         of a key that is ECDSA on P-256 or Ed25519",
        .0.display()
    )]
    Unusable(PathBuf),
}

impl PublicKey {
    /// Reads the key from a file.
    ///
    /// # Errors
    /// When there is none that can be used.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let mut pem = String::new();
        let read = File::open(path).and_then(|file| file.take(MAX_FILE).read_to_string(&mut pem));
        read.map_err(|error| KeyError::Read { path: path.to_owned(), error })?;
        Self::of_pem(&pem, path).ok_or_else(|| KeyError::Unusable(path.to_owned()))
    }

    fn of_pem(pem: &str, path: &Path) -> Option<Self> {
        let (_, rest) = pem.split_once("-----BEGIN PUBLIC KEY-----")?;
        let (body, _) = rest.split_once("-----END PUBLIC KEY-----")?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body).ok()?;
        let (algorithm, point): (&'static dyn VerificationAlgorithm, _) = match der.strip_prefix(&P256) {
            Some(point) if point.len() == 65 => (&ECDSA_P256_SHA256_ASN1, point),
            _ => (&ED25519, der.strip_prefix(&ED).filter(|point| point.len() == 32)?),
        };
        Some(Self { algorithm, point: point.to_vec(), fingerprint: Digest::of(&der), path: path.to_owned() })
    }

    /// The file that it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The digest of the key as DER, by which it is known in a lock file.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// Whether the owner of this key has signed the message.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.algorithm, &self.point).verify(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl genpkey`, `openssl pkey -pubout`, `openssl dgst -sha256 -sign` and
    /// `openssl pkeyutl -sign -rawin`.
    const MESSAGE: &[u8] = b"a plugin\n";
    const P256_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+VQtDTpHRuUmiIVD4txz66V0W79kTy23ui9RDhCr5Ba05TwYhLH3KhNhtX67Dgpxc9xEqIMcEN6ACpS8LIuhvQ==";
    const P256_SIGNATURE: &str =
        "MEUCIHFkslwCSxRUIymXTMFFrdei8izLp0xVngwJbAo8WuQ+AiEAzbXmjzPnzCHIkpeNP5hPsqw5zHuhn9AAf5qDQIIxMpg=";
    const ED_KEY: &str = "MCowBQYDK2VwAyEAWeFI5quqXivIqp9XwYxey22ObJALqBQwZZPEyC/7V/g=";
    const ED_SIGNATURE: &str =
        "fHtK5qSRh4aYOfPtkupUFhOu/iKawxQOEAcs08eP5aHDQRwaX21hfEfvBId5jLFk1z/suv5REBvKF3MDjNSzCA==";

    fn key(body: &str) -> Option<PublicKey> {
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
        PublicKey::of_pem(&pem, Path::new("key.pub"))
    }

    #[test]
    fn signatures_of_openssl_are_verified() {
        for (body, signature, other) in
            [(P256_KEY, P256_SIGNATURE, ED_SIGNATURE), (ED_KEY, ED_SIGNATURE, P256_SIGNATURE)]
        {
            let key = key(body).unwrap();
            let (signature, other) = (STANDARD.decode(signature).unwrap(), STANDARD.decode(other).unwrap());
            assert!(key.has_signed(MESSAGE, &signature));
            assert!(!key.has_signed(b"another plugin\n", &signature));
            assert!(!key.has_signed(MESSAGE, &other), "by another key");
            assert!(!key.has_signed(MESSAGE, &signature[1..]) && !key.has_signed(MESSAGE, b""));
            assert_eq!(key.fingerprint(), Digest::of(&STANDARD.decode(body).unwrap()));
        }
    }

    #[test]
    fn a_file_may_say_more_than_the_key() {
        let pem = format!(
            "A key\r\n-----BEGIN PUBLIC KEY-----\r\n{}\r\n{}\r\n-----END PUBLIC KEY-----",
            &P256_KEY[..64],
            &P256_KEY[64..]
        );
        assert!(PublicKey::of_pem(&pem, Path::new("x")).is_some());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for pem in
            ["", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
        {
            assert!(PublicKey::of_pem(pem, Path::new("x")).is_none(), "{pem}");
        }
        for body in ["", "AAAA", "?", &P256_KEY[..120], &format!("{P256_KEY}AAAA"), &ED_KEY[..56]] {
            assert!(key(body).is_none(), "{body}");
        }
        let told = PublicKey::read(Path::new("/nowhere.pub")).unwrap_err().to_string();
        assert!(told.starts_with("cannot read the key '/nowhere.pub': "), "{told}");
    }
}
