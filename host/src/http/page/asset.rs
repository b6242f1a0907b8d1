//! The files that the pages need. They are part of the program, and there are no others.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Response, StatusCode};

use crate::http::payload::{self, Payload};

/// A file of the program.
pub(super) struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

const ASSETS: [Asset; 4] = [
    Asset {
        name: "style.css",
        media_type: "text/css; charset=utf-8",
        content: include_str!("../../../assets/style.css"),
    },
    Asset {
        name: "script.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_str!("../../../assets/script.js"),
    },
    Asset {
        name: "icon.svg",
        media_type: "image/svg+xml",
        content: include_str!("../../../assets/icon.svg"),
    },
    Asset {
        name: "README.md",
        media_type: "text/plain; charset=utf-8",
        content: include_str!("../../../../README.md"),
    },
];

/// Changes with any of the files. It is part of the URLs by which the pages name them, so that a browser may keep
/// a file for ever and still has the new one after an upgrade.
pub(super) const VERSION: u64 = {
    let mut hash = FNV_OFFSET;
    let mut number = 0;
    while number < ASSETS.len() {
        hash = fnv_1a(hash, ASSETS[number].content.as_bytes());
        number += 1;
    }
    hash
};

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

const fn fnv_1a(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(FNV_PRIME);
        at += 1;
    }
    hash
}

/// The file of that name. A name is compared as a whole: there are no folders, and nothing leads out.
pub(super) fn find(name: &str) -> Option<&'static Asset> {
    const { &ASSETS }.iter().find(|asset| asset.name == name)
}

impl Asset {
    /// The answer to a GET of it.
    pub(super) fn answer(&self) -> Response<Payload> {
        let media_type = HeaderValue::from_static(self.media_type);
        let mut response =
            payload::whole(StatusCode::OK, media_type, Bytes::from_static(self.content.as_bytes()));
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
        response
    }
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;

    use super::*;

    #[test]
    fn files_are_found_by_their_whole_name() {
        for (name, media_type) in [
            ("style.css", Some("text/css; charset=utf-8")),
            ("script.js", Some("text/javascript; charset=utf-8")),
            ("icon.svg", Some("image/svg+xml")),
            ("README.md", Some("text/plain; charset=utf-8")),
            ("", None),
            (".", None),
            ("/style.css", None),
            ("./style.css", None),
            ("STYLE.css", None),
            ("style.css/", None),
            ("style.css\0", None),
            ("../Cargo.toml", None),
            ("..%2fCargo.toml", None),
            ("/etc/passwd", None),
        ] {
            let answer = find(name).map(Asset::answer);
            let shown = answer.as_ref().map(|answer| answer.headers()[CONTENT_TYPE].to_str().unwrap());
            assert_eq!(shown, media_type, "{name}");
        }
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for asset in ASSETS.iter().filter(|asset| asset.name != "README.md") {
            let named: Vec<_> =
                asset.content.match_indices("//").map(|(at, _)| &asset.content[at..]).collect();
            // The name of the format, which nobody fetches.
            assert!(
                named.iter().all(|url| url.starts_with("//www.w3.org/2000/svg\"") || url.starts_with("// "))
            );
        }
    }
}
