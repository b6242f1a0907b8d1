//! Artefacts in OCI registries: a manifest that names one file, and signatures beside it.
//!
//! The protocol is that of the [distribution
//! specification](https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md), as far as reading needs it.

use std::net::IpAddr;

use http::header::{ACCEPT, AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pushgate_cache::Digest;
use serde::Deserialize;

use crate::FetchError;
use crate::client::{Answer, Client, Deadline};
use crate::credentials::Credentials;
use crate::evidence::Evidence;
use crate::source::{Reference, is_loopback, url};

/// Bytes of a manifest, or of an answer with a token.
const MAX_DOCUMENT: u64 = 4 << 20;

/// Bytes of a statement that was signed.
const MAX_PAYLOAD: u64 = 64 << 10;

/// Signatures of one plugin that are looked at.
const MAX_SIGNATURES: usize = 16;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What a layer is called that is a plugin.
const WASM: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];

/// Where a signature of cosign's stands: as an annotation of the statement that was signed.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// The part of a registry that has one artefact.
pub(crate) struct Repository<'a> {
    client: &'a Client,
    credentials: &'a Credentials,
    reference: &'a Reference,
    deadline: Deadline,
    /// What the registry wants to see, once it has said so.
    authorization: Option<String>,
}

/// What an artefact consists of.
#[derive(Debug)]
pub(crate) struct Manifest {
    text: String,
    layers: Vec<Layer>,
}

#[derive(Clone, Debug)]
pub(crate) struct Layer {
    media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    signature: Option<String>,
}

impl Manifest {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Document {
            layers: Option<Vec<Descriptor>>,
            manifests: Option<serde::de::IgnoredAny>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Descriptor {
            media_type: String,
            digest: String,
            size: u64,
            #[serde(default)]
            annotations: std::collections::HashMap<String, String>,
        }
        let text = String::from_utf8(body.to_vec()).map_err(|_| "the manifest is not UTF-8")?;
        let document: Document =
            serde_json::from_str(&text).map_err(|error| format!("the manifest is not one: {error}"))?;
        if document.manifests.is_some() {
            return Err("it is an index of several artefacts; name one of them by its digest".to_owned());
        }
        let layer = |mut descriptor: Descriptor| {
            let digest = descriptor.digest.parse::<Digest>().map_err(|error| error.to_string())?;
            let signature = descriptor.annotations.remove(SIGNATURE);
            Ok(Layer { media_type: descriptor.media_type, digest, size: descriptor.size, signature })
        };
        let layers = document.layers.unwrap_or_default().into_iter().map(layer);
        Ok(Self { layers: layers.collect::<Result<_, String>>()?, text })
    }

    /// The layer that is the plugin: the only one, or the only one that says that it is WebAssembly.
    pub(crate) fn plugin(&self) -> Result<&Layer, String> {
        let mut wasm = self.layers.iter().filter(|layer| WASM.contains(&layer.media_type.as_str()));
        match (wasm.next(), wasm.next(), self.layers.as_slice()) {
            (Some(layer), None, _) | (None, None, [layer]) => Ok(layer),
            (_, _, layers) => Err(format!(
                "it has {} layers; a plugin has one, or one of the type application/wasm",
                layers.len()
            )),
        }
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl<'a> Repository<'a> {
    pub(crate) fn new(
        client: &'a Client,
        credentials: &'a Credentials,
        reference: &'a Reference,
        deadline: Deadline,
    ) -> Self {
        Self { client, credentials, reference, deadline, authorization: None }
    }

    /// The manifest that the reference names.
    pub(crate) fn manifest(&mut self) -> Result<Manifest, FetchError> {
        let place = self.url(&format!("manifests/{}", self.reference.name()))?;
        let body = self.get(&place, MAX_DOCUMENT)?.found(&place)?;
        let found = Digest::of(&body);
        if let Some(wanted) = self.reference.digest
            && found != wanted
        {
            return Err(FetchError::Digest { place: place.to_string(), found, wanted });
        }
        self.read_manifest(&body)
    }

    /// A manifest of this artefact, wherever it comes from.
    pub(crate) fn read_manifest(&self, body: &[u8]) -> Result<Manifest, FetchError> {
        Manifest::parse(body)
            .map_err(|reason| FetchError::NoPlugin { artefact: self.reference.to_string(), reason })
    }

    /// What is in a layer, which is what its digest says.
    pub(crate) fn layer(&mut self, layer: &Layer, limit: u64) -> Result<Vec<u8>, FetchError> {
        let place = self.url(&format!("blobs/{}", layer.digest))?;
        if layer.size > limit {
            return Err(FetchError::TooLarge { place: place.to_string(), limit });
        }
        let body = self.get(&place, limit)?.found(&place)?;
        let (found, wanted) = (Digest::of(&body), layer.digest);
        if found != wanted {
            return Err(FetchError::Digest { place: place.to_string(), found, wanted });
        }
        Ok(body)
    }

    /// Where cosign puts the signatures of a manifest.
    pub(crate) fn signature_place(&self, manifest: &Manifest) -> Result<Uri, FetchError> {
        self.url(&format!("manifests/sha256-{}.sig", manifest.digest().hex()))
    }

    /// The signatures of a manifest; none if nobody signed it.
    pub(crate) fn signatures(&mut self, of: &Manifest) -> Result<Vec<Evidence>, FetchError> {
        let place = self.signature_place(of)?;
        let answer = self.get(&place, MAX_DOCUMENT)?;
        if answer.status == 404 {
            return Ok(Vec::new());
        }
        let signatures = Manifest::parse(&answer.found(&place)?)
            .map_err(|reason| FetchError::Nonsense { url: place.to_string(), reason })?;
        let mut evidence = Vec::new();
        for layer in signatures.layers.iter().take(MAX_SIGNATURES) {
            if let Some(signature) = &layer.signature
                && let Ok(payload) = String::from_utf8(self.layer(layer, MAX_PAYLOAD)?)
            {
                evidence.push(Evidence::of_statement(signature, payload, of.text().to_owned()));
            }
        }
        Ok(evidence)
    }

    fn url(&self, path: &str) -> Result<Uri, FetchError> {
        let Reference { registry, repository, .. } = self.reference;
        let host = registry.rsplit_once(':').map_or(registry.as_str(), |(host, _)| host);
        let scheme = if is_loopback(host) || is_loopback(registry) { "http" } else { "https" };
        let whole = format!("{scheme}://{registry}/v2/{repository}/{path}");
        url(&whole).map_err(|reason| FetchError::Unreachable { url: whole, reason })
    }

    fn get(&mut self, place: &Uri, limit: u64) -> Result<Answer, FetchError> {
        let answer = self.ask(place, limit)?;
        // Whoever a registry redirects to has no say in who is told its user.
        let is_its_own = answer.place.authority() == place.authority();
        if answer.status != 401 || self.authorization.is_some() || !is_its_own {
            return Ok(answer);
        }
        self.authorization = self.authorize(place, &answer.headers)?;
        if self.authorization.is_none() { Ok(answer) } else { self.ask(place, limit) }
    }

    fn ask(&self, place: &Uri, limit: u64) -> Result<Answer, FetchError> {
        let mut headers = vec![(ACCEPT, MANIFEST), (ACCEPT, "*/*;q=0.5")];
        headers.extend(self.authorization.as_deref().map(|authorization| (AUTHORIZATION, authorization)));
        self.client.get(place, &headers, limit, self.deadline)
    }

    /// What to show the registry, which has said how it wants to know us: by user and password, or by a token that
    /// another server gives out for them, or to anybody.
    fn authorize(&self, place: &Uri, headers: &HeaderMap) -> Result<Option<String>, FetchError> {
        let mut challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let Some(challenge) = challenges.find_map(bearer) else {
            return Ok(self.credentials.of(&self.reference.registry).map(str::to_owned));
        };
        let nonsense = |url: &Uri, reason: String| FetchError::Nonsense { url: url.to_string(), reason };
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let scope = format!("repository:{}:pull", self.reference.repository);
        let mut query = format!("scope={}", encode(&scope));
        if let Some(service) = challenge.service {
            query.push_str(&format!("&service={}", encode(&service)));
        }
        let join = if challenge.realm.contains('?') { '&' } else { '?' };
        let realm =
            url(&format!("{}{join}{query}", challenge.realm)).map_err(|reason| nonsense(place, reason))?;
        if place.scheme_str() == Some("https") && realm.scheme_str() != Some("https") {
            return Err(nonsense(place, format!("its tokens are at '{realm}', which is not encrypted")));
        }
        let user = self.user_for_tokens(place, &realm)?;
        let headers: Vec<_> = user.map(|user| (AUTHORIZATION, user)).into_iter().collect();
        let body = self.client.get(&realm, &headers, MAX_DOCUMENT, self.deadline)?.found(&realm)?;
        #[derive(Deserialize)]
        struct Token {
            token: Option<String>,
            access_token: Option<String>,
        }
        let token = serde_json::from_slice::<Token>(&body)
            .ok()
            .and_then(|answer| answer.token.or(answer.access_token));
        // It goes into a header.
        let token =
            token.filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
        let token = token.ok_or_else(|| nonsense(&realm, "there is no token in it".to_owned()))?;
        Ok(Some(format!("Bearer {token}")))
    }

    /// The user to ask for tokens with: that of the server that gives them out, or else that of the registry, if both
    /// are of one domain.
    fn user_for_tokens(&self, place: &Uri, realm: &Uri) -> Result<Option<&'a str>, FetchError> {
        let registry = &self.reference.registry;
        let server = realm.authority().map_or("", |authority| authority.as_str());
        let of_registry = || match self.credentials.of(registry) {
            Some(_)
                if !is_of_one_domain(realm.host().unwrap_or_default(), place.host().unwrap_or_default()) =>
            {
                Err(FetchError::TokenServer {
                    url: place.to_string(),
                    registry: registry.clone(),
                    server: server.to_owned(),
                })
            }
            user => Ok(user),
        };
        self.credentials.of(server).map_or_else(of_registry, |user| Ok(Some(user)))
    }
}

/// Whether tokens of a registry may be asked for with its user at a host: the registry's own, one below it, or one of the
/// domain that it is a part of, as `auth.docker.io` is for `registry-1.docker.io`. A domain has two labels or more.
fn is_of_one_domain(host: &str, registry: &str) -> bool {
    let (host, registry) = (host.to_ascii_lowercase(), registry.to_ascii_lowercase());
    let is_in = |domain: &str| {
        host.strip_suffix(domain).is_some_and(|above| above.is_empty() || above.ends_with('.'))
    };
    if registry.parse::<IpAddr>().is_ok() || registry.starts_with('[') {
        return host == registry;
    }
    let domain = registry.split_once('.').map(|(_, domain)| domain).filter(|domain| domain.contains('.'));
    is_in(&registry) || domain.is_some_and(is_in)
}

/// Where tokens are given out.
#[derive(Debug, PartialEq)]
struct Challenge {
    realm: String,
    service: Option<String>,
}

/// Reads `Bearer realm="...",service="..."`.
fn bearer(header: &str) -> Option<Challenge> {
    let (scheme, mut rest) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service) = (None, None);
    while let Some((name, behind)) = rest.split_once("=\"") {
        let (value, behind) = behind.split_once('"')?;
        match name.trim_matches([' ', ',']).to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value.to_owned()),
            "service" => service = Some(value.to_owned()),
            _ => {}
        }
        rest = behind;
    }
    Some(Challenge { realm: realm?, service })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(media_type: &str, byte: u8) -> String {
        format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":1}}"#, Digest::of(&[byte]))
    }

    #[test]
    fn the_plugin_of_a_manifest_is_the_layer_that_can_be_meant() {
        let (wasm, other, old) = (layer("application/wasm", 0), layer("text/plain", 1), layer(WASM[1], 2));
        for (layers, expected) in [
            (vec![&wasm], Some(0)),
            (vec![&other], Some(1)),
            (vec![&old], Some(2)),
            (vec![&other, &wasm, &other], Some(0)),
            (vec![], None),
            (vec![&wasm, &old], None),
            (vec![&other, &other], None),
        ] {
            let layers: Vec<_> = layers.into_iter().map(String::as_str).collect();
            let text = format!(r#"{{"schemaVersion":2,"layers":[{}]}}"#, layers.join(","));
            let manifest = Manifest::parse(text.as_bytes()).unwrap();
            let found = manifest.plugin().map(|layer| layer.digest).ok();
            assert_eq!(found, expected.map(|byte| Digest::of(&[byte])), "{text}");
        }
    }

    #[test]
    fn what_is_no_manifest_of_an_artefact_is_told() {
        for (text, expected) in [
            ("", "the manifest is not one"),
            ("[]", "the manifest is not one"),
            (r#"{"manifests":[]}"#, "an index of several artefacts"),
            (r#"{"layers":[{"mediaType":"x","digest":"sha512:1","size":1}]}"#, "'sha512:1' is not a digest"),
            (r#"{"layers":[{"mediaType":"x","digest":"x","size":-1}]}"#, "the manifest is not one"),
        ] {
            let told = Manifest::parse(text.as_bytes()).unwrap_err();
            assert!(told.contains(expected), "{text}: {told}");
        }
        assert!(Manifest::parse(&[0xff]).is_err());
    }

    #[test]
    fn the_user_of_a_registry_stays_in_its_domain() {
        for (host, registry, expected) in [
            ("ghcr.io", "ghcr.io", true),
            ("GHCR.io", "ghcr.IO", true),
            ("auth.docker.io", "docker.io", true),
            ("auth.docker.io", "registry-1.docker.io", true),
            ("gitlab.com", "registry.gitlab.com", true),
            ("other.io", "ghcr.io", false),
            ("io", "ghcr.io", false),
            ("evilghcr.io", "ghcr.io", false),
            ("evildocker.io", "registry-1.docker.io", false),
            ("ghcr.io.evil.org", "ghcr.io", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("9.0.0.1", "127.0.0.1", false),
            ("[::1]", "[::1]", true),
            ("[::2]", "[::1]", false),
            ("registry", "registry", true),
            ("other", "registry", false),
            ("", "registry", false),
        ] {
            assert_eq!(is_of_one_domain(host, registry), expected, "{host} for {registry}");
        }
    }

    #[test]
    fn a_challenge_says_where_tokens_are() {
        let challenge = |realm: &str, service: Option<&str>| {
            Some(Challenge { realm: realm.to_owned(), service: service.map(str::to_owned) })
        };
        for (header, expected) in [
            (
                r#"Bearer realm="https://a/t",service="r",scope="repository:a:pull""#,
                challenge("https://a/t", Some("r")),
            ),
            (r#"bearer  service="r, s" , realm="https://a/t""#, challenge("https://a/t", Some("r, s"))),
            (r#"Bearer realm="https://a/t""#, challenge("https://a/t", None)),
            (r#"Basic realm="x""#, None),
            ("Bearer", None),
            ("Bearer realm=x", None),
            (r#"Bearer realm="x"#, None),
            ("", None),
        ] {
            assert_eq!(bearer(header), expected, "{header}");
        }
    }
}
