//! What is demanded of the certificates of clients.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// How many names of a certificate are told.
const MAX_NAMES: usize = 64;

/// How many bytes a name has that is told.
const MAX_NAME: usize = 1 << 10;

/// `client_auth_type`, by the names of Go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ClientAuth {
    None,
    Request,
    RequireAny,
    VerifyIfGiven,
    RequireAndVerify,
}

/// The names of the kinds. `RequireClientCert` is an older name that the original still reads.
pub(crate) const CLIENT_AUTH: [(&str, ClientAuth); 6] = [
    ("NoClientCert", ClientAuth::None),
    ("RequestClientCert", ClientAuth::Request),
    ("RequireAnyClientCert", ClientAuth::RequireAny),
    ("RequireClientCert", ClientAuth::RequireAny),
    ("VerifyClientCertIfGiven", ClientAuth::VerifyIfGiven),
    ("RequireAndVerifyClientCert", ClientAuth::RequireAndVerify),
];

impl ClientAuth {
    /// Whether certificates are checked against authorities.
    pub(crate) fn verifies(self) -> bool {
        matches!(self, Self::VerifyIfGiven | Self::RequireAndVerify)
    }

    fn is_mandatory(self) -> bool {
        matches!(self, Self::RequireAny | Self::RequireAndVerify)
    }
}

/// Judges the certificates of clients.
#[derive(Debug)]
pub(crate) struct ClientVerifier {
    mandatory: bool,
    /// Checks the chain up to an authority, if that is asked for.
    chain: Option<Arc<dyn ClientCertVerifier>>,
    /// If any, a certificate must be for one of these.
    allowed_names: Vec<String>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientVerifier {
    /// A verifier of the given kind, which is not [`ClientAuth::None`]. The error is the mend.
    pub(crate) fn new(
        kind: ClientAuth,
        authorities: Vec<CertificateDer<'static>>,
        allowed_names: Vec<String>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        let chain = kind.verifies().then(|| verifier_of_chains(authorities, provider)).transpose()?;
        let algorithms = provider.signature_verification_algorithms;
        Ok(Self { mandatory: kind.is_mandatory(), chain, allowed_names, algorithms })
    }
}

fn verifier_of_chains(
    authorities: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(|error| format!("has a certificate that cannot be used: {error}"))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| error.to_string())
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.as_ref().map_or(&[], |chain| chain.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(chain) = &self.chain {
            chain.verify_client_cert(certificate, intermediates, now)?;
        }
        if !self.allowed_names.is_empty() && !is_for_one_of(certificate, &self.allowed_names) {
            return Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure));
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether one of the alternative names of a certificate (DNS, e-mail, IP address, URI) is allowed: compared as
/// text, without wildcards, as the original does. One that cannot be read is for nobody.
fn is_for_one_of(certificate: &CertificateDer<'_>, allowed: &[String]) -> bool {
    alternative_names(certificate).iter().filter_map(shown).any(|name| allowed.contains(&name))
}

/// The alternative names of a certificate, as text, that tell whom it is for, whatever kind of name they are: whoever may
/// have any e-mail address certified must not pass for a host.
pub(crate) fn names_of(certificate: &CertificateDer<'_>) -> Vec<String> {
    let names = alternative_names(certificate);
    let names = names.iter().filter_map(|name| shown(name).filter(|shown| is_of_its_kind(name, shown)));
    names.take(MAX_NAMES).collect()
}

fn alternative_names(certificate: &CertificateDer<'_>) -> Vec<GeneralName> {
    let Ok(certificate) = Certificate::from_der(certificate) else { return Vec::new() };
    let extension = certificate.tbs_certificate().get_extension::<SubjectAltName>();
    extension.ok().flatten().map(|(_, names)| names.0).unwrap_or_default()
}

/// Whether a name looks like no name of another kind. Those that are meant to be read do.
fn is_of_its_kind(name: &GeneralName, shown: &str) -> bool {
    let is_address = shown.parse::<IpAddr>().is_ok();
    let is_of_its_kind = match name {
        GeneralName::DnsName(_) => !is_address && !shown.contains([':', '@']),
        GeneralName::Rfc822Name(_) => shown.contains('@') && !shown.contains(':'),
        GeneralName::UniformResourceIdentifier(_) => shown.contains(':') && !is_address,
        _ => is_address,
    };
    is_of_its_kind && shown.len() <= MAX_NAME && !shown.contains(char::is_control)
}

fn shown(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name)
        | GeneralName::Rfc822Name(name)
        | GeneralName::UniformResourceIdentifier(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(address) => {
            let address = address.as_bytes();
            let four = <[u8; 4]>::try_from(address).map(IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(address).map(IpAddr::from)).ok()?;
            Some(address.to_canonical().to_string())
        }
        _ => None,
    }
}
