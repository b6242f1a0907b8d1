//! From what is wanted to the bytes of a plugin.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Uri;
use pushgate_cache::{Digest, Folder};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tracing::{info, warn};

use crate::client::Client;
use crate::credentials::Credentials;
use crate::evidence::Evidence;
use crate::oci::Repository;
use crate::{FetchError, PublicKey, Reference, SettingsError, Source};

/// A plugin of more is not taken. The bundled ones are well below 1 MiB.
const MAX_PLUGIN: u64 = 32 << 20;

/// Bytes of a signature, or of what shows one.
const MAX_SIGNATURE: u64 = 64 << 10;

/// Bytes of what is kept to show a signature again: with a manifest.
const MAX_EVIDENCE: u64 = 16 << 20;

/// Bytes in a file of authorities or credentials.
const MAX_SETTINGS: u64 = 4 << 20;

/// How plugins are fetched.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The authorities that servers must have their certificates from, in PEM; those that browsers trust otherwise.
    pub authorities: Option<PathBuf>,
    /// Users and passwords, in the file that docker writes.
    pub credentials: Option<PathBuf>,
    /// How long everything together may take that one plugin needs.
    pub timeout: Duration,
    /// Where plugins are kept that came over the network.
    pub kept: Option<Folder>,
}

/// A plugin that is wanted. What is not said about it does not matter: with neither digest nor key, whatever is at its
/// source is taken.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Where it is.
    pub source: &'a Source,
    /// What it must be.
    pub digest: Option<Digest>,
    /// Who must have signed it.
    pub signed_by: Option<&'a PublicKey>,
}

/// A plugin that is what was wanted.
#[derive(Debug)]
pub struct Fetched {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
}

/// Gets plugins. Those of several threads at the same time.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    credentials: Credentials,
    kept: Option<Folder>,
}

/// A plugin as it was found, and what there is to show who signed it.
struct Found {
    bytes: Vec<u8>,
    evidence: Vec<Evidence>,
    /// Where the signature is or would be.
    signature_place: String,
}

impl Fetcher {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// When one cannot be used: nothing is left out silently.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let authorities = settings.authorities.as_deref().map(authorities).transpose()?;
        let credentials = match settings.credentials {
            Some(path) => {
                let content = read_bounded(&path, MAX_SETTINGS).map_err(|error| {
                    SettingsError::Credentials { path: path.clone(), reason: error.to_string() }
                })?;
                Credentials::read(&content, &path)?
            }
            None => Credentials::default(),
        };
        Ok(Self { client: Client::new(authorities, settings.timeout), credentials, kept: settings.kept })
    }

    /// Gets a plugin and makes sure that it is the one that is wanted. Blocks.
    ///
    /// # Errors
    /// When it cannot be had, or is another one.
    pub fn fetch(&self, wanted: Wanted<'_>) -> Result<Fetched, FetchError> {
        match self.kept(wanted) {
            Ok(Some(plugin)) => Ok(plugin),
            Ok(None) => self.fetch_anew(wanted),
            Err(damage) => {
                warn!(source = %wanted.source, damage, "a kept plugin cannot be used; fetching it again");
                let with_damage = |error| FetchError::AndDamaged { error: Box::new(error), damage };
                self.fetch_anew(wanted).map_err(with_damage)
            }
        }
    }

    fn fetch_anew(&self, wanted: Wanted<'_>) -> Result<Fetched, FetchError> {
        let found = match wanted.source {
            Source::File(path) => of_file(path, wanted)?,
            Source::Url(url) => self.of_url(url, wanted)?,
            Source::Oci(reference) => self.of_registry(reference, wanted)?,
        };
        let digest = Digest::of(&found.bytes);
        compare(wanted, digest)?;
        let mut shown = None;
        if let Some(key) = wanted.signed_by {
            let (place, path) = (found.signature_place, key.path().to_owned());
            if found.evidence.is_empty() {
                return Err(FetchError::NoSignature { place, key: path });
            }
            shown = found.evidence.into_iter().find(|evidence| evidence.shows(key, &found.bytes));
            if shown.is_none() {
                return Err(FetchError::WrongSignature { place, key: path });
            }
        }
        if wanted.source.is_remote() {
            info!(source = %wanted.source, %digest, "plugin fetched");
            self.keep(digest, &found.bytes, shown.as_ref());
        }
        Ok(Fetched { bytes: found.bytes, digest })
    }

    /// A remote plugin whose digest is wanted, if it was kept; or why what was kept cannot be used.
    fn kept(&self, wanted: Wanted<'_>) -> Result<Option<Fetched>, String> {
        let (Some(folder), Some(digest)) = (&self.kept, wanted.digest) else { return Ok(None) };
        if !wanted.source.is_remote() {
            return Ok(None);
        }
        let Some(bytes) = self.kept_bytes(digest)? else { return Ok(None) };
        if let Some(key) = wanted.signed_by {
            let kept = folder.read(&evidence_name(digest), MAX_EVIDENCE);
            let Some(kept) = kept.map_err(|error| format!("its signature cannot be read: {error}"))? else {
                return Ok(None); // It was fetched when nobody had to have signed it.
            };
            let evidence = serde_json::from_slice::<Evidence>(&kept).ok();
            if !evidence.is_some_and(|evidence| evidence.shows(key, &bytes)) {
                return Err(format!("its signature is not one of '{}'", key.path().display()));
            }
        }
        Ok(Some(Fetched { bytes, digest }))
    }

    fn kept_bytes(&self, digest: Digest) -> Result<Option<Vec<u8>>, String> {
        let Some(folder) = &self.kept else { return Ok(None) };
        let kept = folder.read(&digest.hex(), MAX_PLUGIN);
        let kept = kept.map_err(|error| format!("it cannot be read: {error}"))?;
        match kept.as_deref().map(Digest::of) {
            Some(found) if found != digest => Err(format!("it is damaged, and has the digest {found}")),
            _ => Ok(kept),
        }
    }

    fn keep(&self, digest: Digest, bytes: &[u8], evidence: Option<&Evidence>) {
        let Some(folder) = &self.kept else { return };
        let kept = folder.write(&digest.hex(), bytes).and_then(|()| match evidence {
            Some(evidence) => folder.write(&evidence_name(digest), &serde_json::to_vec(evidence)?),
            None => Ok(()),
        });
        if let Err(error) = kept {
            warn!(%digest, %error, "a plugin cannot be kept; the next start fetches it again");
        }
    }

    fn of_url(&self, url: &Uri, wanted: Wanted<'_>) -> Result<Found, FetchError> {
        let deadline = self.client.deadline();
        let authority = url.authority().map_or("", |authority| authority.as_str());
        let user = self.credentials.of(authority).map(|user| (http::header::AUTHORIZATION, user));
        let headers: Vec<_> = user.into_iter().collect();
        let bytes = self.client.get(url, &headers, MAX_PLUGIN, deadline)?.found(url)?;
        compare(wanted, Digest::of(&bytes))?;
        // Beside it: what follows `?` names the same version of both.
        let text = url.to_string();
        let signature_place = match text.split_once('?') {
            Some((path, query)) => format!("{path}.sig?{query}"),
            None => format!("{text}.sig"),
        };
        let mut evidence = Vec::new();
        if wanted.signed_by.is_some()
            && let Ok(place) = signature_place.parse::<Uri>()
        {
            let answer = self.client.get(&place, &headers, MAX_SIGNATURE, deadline)?;
            if answer.status != 404 {
                evidence.push(Evidence::detached(&answer.found(&place)?));
            }
        }
        Ok(Found { bytes, evidence, signature_place })
    }

    fn of_registry(&self, reference: &Reference, wanted: Wanted<'_>) -> Result<Found, FetchError> {
        let mut repository =
            Repository::new(&self.client, &self.credentials, reference, self.client.deadline());
        let manifest = repository.manifest()?;
        let layer = manifest
            .plugin()
            .map_err(|reason| FetchError::NoPlugin { artefact: reference.to_string(), reason })?;
        compare(wanted, layer.digest)?;
        let signature_place = repository.signature_place(&manifest)?.to_string();
        let evidence = match wanted.signed_by {
            Some(_) => repository.signatures(&manifest)?,
            None => Vec::new(),
        };
        let bytes = match self.kept_bytes(layer.digest) {
            Ok(Some(bytes)) => bytes,
            // Damaged or not there: it is replaced.
            _ => repository.layer(layer, MAX_PLUGIN)?,
        };
        Ok(Found { bytes, evidence, signature_place })
    }
}

fn evidence_name(digest: Digest) -> String {
    format!("{}.signature", digest.hex())
}

fn compare(wanted: Wanted<'_>, found: Digest) -> Result<(), FetchError> {
    match wanted.digest {
        Some(digest) if digest != found => {
            Err(FetchError::Digest { place: wanted.source.to_string(), found, wanted: digest })
        }
        _ => Ok(()),
    }
}

fn of_file(path: &Path, wanted: Wanted<'_>) -> Result<Found, FetchError> {
    let bytes = read(path, MAX_PLUGIN)?;
    let mut signature = path.as_os_str().to_owned();
    signature.push(".sig");
    let signature = PathBuf::from(signature);
    let mut evidence = Vec::new();
    if wanted.signed_by.is_some() && signature.exists() {
        evidence.push(Evidence::detached(&read(&signature, MAX_SIGNATURE)?));
    }
    Ok(Found { bytes, evidence, signature_place: signature.display().to_string() })
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FetchError> {
    let content =
        read_bounded(path, limit).map_err(|error| FetchError::Read { path: path.to_owned(), error })?;
    if content.len() as u64 > limit {
        return Err(FetchError::TooLarge { place: path.display().to_string(), limit });
    }
    Ok(content)
}

/// The content of a file; at most one byte more than `limit`.
fn read_bounded(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// All authorities of a file. One that cannot be used is an error: left out, it would be missed only when a server
/// needs it.
fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    let refused = |reason: String| SettingsError::Authorities { path: path.to_owned(), reason };
    let pem = read_bounded(path, MAX_SETTINGS).map_err(|error| refused(error.to_string()))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| refused(format!("it is not readable PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(refused("it has no certificate; it takes PEM, '-----BEGIN CERTIFICATE-----'".to_owned()));
    }
    let mut store = RootCertStore::empty();
    for (index, certificate) in certificates.iter().enumerate() {
        let number = index + 1;
        store
            .add(certificate.clone())
            .map_err(|error| refused(format!("certificate {number} is not one: {error}")))?;
    }
    Ok(certificates)
}
