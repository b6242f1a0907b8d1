//! Certificates for servers and clients.

use e2e::Folder;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};

/// An authority, and the files of its certificates.
pub(crate) struct Authority {
    name: &'static str,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// One of that name, whose own certificate is in `NAME.pem`.
    pub(crate) fn new(folder: &Folder, name: &'static str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        folder.write(&format!("{name}.pem"), params.self_signed(&key).unwrap().pem());
        Self { name, issuer: Issuer::new(params, key) }
    }

    /// A certificate for these names, and its key, in two files.
    pub(crate) fn identity(&self, folder: &Folder, names: Vec<SanType>) -> [String; 2] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        let count = names.len();
        params.subject_alt_names = names;
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        let file = |end: &str| format!("{}-{count}.{end}", self.name);
        let written =
            [folder.write(&file("pem"), certificate), folder.write(&file("key"), key.serialize_pem())];
        written.map(|path| path.display().to_string())
    }
}
