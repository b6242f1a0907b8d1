//! What the file says: every key with its kind, before certificates and keys are read.

use std::path::{Path, PathBuf};

use http::HeaderMap;
use rustls::crypto::SupportedKxGroup;
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use crate::client_auth::{CLIENT_AUTH, ClientAuth};
use crate::error::Problem;
use crate::files::Files;
use crate::headers;
use crate::names::{CIPHER_SUITES, CURVES, VERSIONS, named};
use crate::rate_limit::RateLimit;
use crate::table::{Field, Table};
use crate::users::Users;
use crate::yaml;

/// The file with nothing but legal values.
pub(crate) struct Document {
    pub(crate) tls: Option<TlsSection>,
    pub(crate) http2: bool,
    pub(crate) headers: HeaderMap,
    pub(crate) users: Users,
    pub(crate) rate_limit: Option<RateLimit>,
}

/// `tls_server_config`.
pub(crate) struct TlsSection {
    pub(crate) certificate: Source,
    pub(crate) key: Source,
    pub(crate) client_ca: Option<Source>,
    pub(crate) client_auth: ClientAuth,
    pub(crate) client_allowed_sans: Vec<String>,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
    /// Empty for all.
    pub(crate) cipher_suites: Vec<SupportedCipherSuite>,
    pub(crate) server_order: bool,
    /// Empty for all.
    pub(crate) curves: Vec<&'static dyn SupportedKxGroup>,
}

/// PEM that stands in the file or in one that it names.
pub(crate) struct Source {
    line: usize,
    place: String,
    pem: Pem,
}

enum Pem {
    Inline(String),
    File(PathBuf),
}

impl Document {
    /// Reads the text of a file in `folder`.
    pub(crate) fn read(text: &str, folder: &Path) -> Result<Self, Problem> {
        let root = yaml::read(text)?;
        let mut root = Table::root(&root)?;
        let tls = root.take("tls_server_config");
        let http = root.take("http_server_config");
        let users = root.take("basic_auth_users");
        let rate_limit = root.take("rate_limit");
        root.finish()?;
        let (http2, headers) = match http {
            Some(field) => read_http(field.table()?)?,
            None => (true, HeaderMap::new()),
        };
        Ok(Self {
            tls: tls.map(|field| TlsSection::read(field, folder)).transpose()?.flatten(),
            http2,
            headers,
            users: Users::read(users.map(Field::table).transpose()?.as_ref())?,
            rate_limit: rate_limit.map(|field| RateLimit::read(field.table()?)).transpose()?.flatten(),
        })
    }
}

fn read_http(mut table: Table<'_>) -> Result<(bool, HeaderMap), Problem> {
    let http2 = table.take("http2");
    let headers = table.take("headers");
    table.finish()?;
    let http2 = http2.map_or(Ok(true), |field| field.flag())?;
    let headers = headers.map_or(Ok(HeaderMap::new()), |field| headers::read(&field.table()?))?;
    Ok((http2, headers))
}

impl TlsSection {
    /// `None` for a section that names neither certificates nor what clients must show: as in the original, that
    /// is plain HTTP.
    fn read(field: Field<'_>, folder: &Path) -> Result<Option<Self>, Problem> {
        let whole = Field { place: field.place.clone(), line: field.line, node: field.node };
        let mut table = field.table()?;
        let mut source = |inline, file| Source::read(table.take(inline), table.take(file), folder);
        let certificate = source("cert", "cert_file")?;
        let key = source("key", "key_file")?;
        let client_ca = source("client_ca", "client_ca_file")?;
        let client_auth = table.take("client_auth_type");
        let sans = table.take("client_allowed_sans");
        let (min, max) = (table.take("min_version"), table.take("max_version"));
        let suites = table.take("cipher_suites");
        let server_order = table.take("prefer_server_cipher_suites");
        let curves = table.take("curve_preferences");
        table.finish()?;

        let versions = read_versions(min.as_ref(), max.as_ref())?;
        let cipher_suites = suites.map_or(Ok(Vec::new()), |field| read_names(&field, &CIPHER_SUITES))?;
        let curves = curves.map_or(Ok(Vec::new()), |field| read_names(&field, &CURVES))?;
        let server_order = server_order.map_or(Ok(true), |field| field.flag())?;
        if certificate.is_none() && key.is_none() && client_ca.is_none() && client_auth.is_none() {
            return Ok(None);
        }
        let Some(certificate) = certificate else {
            return Err(whole.problem("needs a certificate; add cert_file or cert"));
        };
        let Some(key) = key else {
            return Err(whole.problem("needs the key of the certificate; add key_file or key"));
        };
        let (client_auth, client_allowed_sans) =
            read_client_auth(&whole, client_auth.as_ref(), sans.as_ref(), client_ca.is_some())?;
        Ok(Some(Self {
            certificate,
            key,
            client_ca,
            client_auth,
            client_allowed_sans,
            versions,
            cipher_suites,
            server_order,
            curves,
        }))
    }
}

/// What clients must show. What would look like a demand and check nothing is refused.
fn read_client_auth(
    section: &Field<'_>,
    kind: Option<&Field<'_>>,
    sans: Option<&Field<'_>>,
    has_authorities: bool,
) -> Result<(ClientAuth, Vec<String>), Problem> {
    let client_auth = match kind {
        Some(field) => named(field.text()?, &CLIENT_AUTH).map_err(|told| field.problem(told))?,
        None => ClientAuth::None,
    };
    let at = kind.unwrap_or(section);
    if client_auth.verifies() && !has_authorities {
        return Err(at.problem("needs the authorities of the clients; add client_ca_file or client_ca"));
    }
    if client_auth == ClientAuth::None && has_authorities {
        return Err(at.problem(
            "asks no client for a certificate, though there are authorities for them; \
             add client_auth_type: RequireAndVerifyClientCert, or remove client_ca_file and client_ca",
        ));
    }
    let Some(sans) = sans else { return Ok((client_auth, Vec::new())) };
    let names: Vec<_> = sans.texts()?.iter().map(Field::text).collect::<Result<_, _>>()?;
    if names.is_empty() {
        return Err(sans.problem("allows nobody; name who may come, or remove it"));
    }
    if client_auth == ClientAuth::None {
        return Err(sans.problem("is never checked; add client_auth_type: RequireAndVerifyClientCert"));
    }
    Ok((client_auth, names.into_iter().map(str::to_owned).collect()))
}

fn read_versions(
    min: Option<&Field<'_>>,
    max: Option<&Field<'_>>,
) -> Result<Vec<&'static SupportedProtocolVersion>, Problem> {
    let number = |field: Option<&Field<'_>>, default| match field {
        Some(field) => {
            let version = named(field.text()?, &VERSIONS).map_err(|told| field.problem(told))?;
            Ok(VERSIONS.iter().position(|(_, known)| *known == version).unwrap_or(default))
        }
        None => Ok(default),
    };
    let (first, last) = (number(min, 0)?, number(max, VERSIONS.len())?);
    let versions: Vec<_> =
        VERSIONS.iter().enumerate().filter(|(n, _)| (first..=last).contains(n)).map(|(_, v)| v.1).collect();
    match min {
        Some(field) if versions.is_empty() => Err(field.problem("is above max_version; swap them")),
        _ => Ok(versions),
    }
}

fn read_names<T: Copy>(field: &Field<'_>, offered: &[(&str, T)]) -> Result<Vec<T>, Problem> {
    let name = |field: &Field<'_>| named(field.text()?, offered).map_err(|told| field.problem(told));
    field.texts()?.iter().map(name).collect()
}

impl Source {
    fn read(
        inline: Option<Field<'_>>,
        file: Option<Field<'_>>,
        folder: &Path,
    ) -> Result<Option<Self>, Problem> {
        let (field, pem) = match (inline, file) {
            (None, None) => return Ok(None),
            (Some(inline), Some(_)) => {
                return Err(inline.problem(format!("stands beside {}_file; remove one", inline.place)));
            }
            (Some(inline), None) => {
                let pem = Pem::Inline(inline.text()?.to_owned());
                (inline, pem)
            }
            (None, Some(file)) => {
                let pem = Pem::File(folder.join(file.text()?));
                (file, pem)
            }
        };
        Ok(Some(Self { line: field.line, place: field.place, pem }))
    }

    /// The PEM itself.
    pub(crate) fn pem(&self, files: &mut Files) -> Result<Vec<u8>, Problem> {
        match &self.pem {
            Pem::Inline(pem) => Ok(pem.clone().into_bytes()),
            Pem::File(path) => files
                .read(path)
                .map_err(|error| self.problem(format!("cannot read '{}': {error}", path.display()))),
        }
    }

    /// A problem with what this is, which must not repeat what it contains.
    pub(crate) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::at(self.line, self.place.clone(), message)
    }
}
