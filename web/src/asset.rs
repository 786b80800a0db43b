//! What pages load: style, script, letters. All of it is in the program; nothing comes from elsewhere.
//!
//! The address of each has a digest over all of them in it, so that a browser keeps them for good and
//! another build is another address.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY,
};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use crate::gate::nothing_here;
use crate::report::Problem;

/// The path under which they stand.
pub(crate) const ROUTE: &str = "/assets/{build}/{name}";

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const LETTERS: &str = "font/woff2";
const PICTURE: &str = "image/svg+xml";

/// Hexadecimal digits of the digest in an address: no two builds of one machine have the same.
const DIGEST_CHARS: usize = 16;

/// A year: the address changes where the content does.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    /// Packed, where that makes it smaller.
    packed: Option<Vec<u8>>,
}

macro_rules! npm {
    ($path:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/node_modules/", $path))
    };
}

/// Our style sheet in two: what a page waits for before it says which incident it is, and the rest.
/// Over a thin line each kilobyte of the first is an eighth of a second.
static STYLES: LazyLock<(&str, &str)> = LazyLock::new(|| {
    let whole = include_str!("../static/beistand.css");
    whole.split_at(whole.find(CUT).unwrap_or(whole.len()))
});

/// Before the rest of the style sheet.
const CUT: &str = "/* What is above is a file of its own";

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        asset("first.css", CSS, STYLES.0.as_bytes()),
        asset("beistand.css", CSS, STYLES.1.as_bytes()),
        asset("draw.css", CSS, include_bytes!("../static/draw.css")),
        asset("kern.css", CSS, include_bytes!("../static/kern.css")),
        // Of the design system what pages use, made by the build.
        asset("kern.min.css", CSS, include_bytes!(concat!(env!("OUT_DIR"), "/kern.css"))),
        asset("playbook.css", CSS, include_bytes!("../static/playbook.css")),
        asset("check.js", SCRIPT, include_bytes!("../static/check.js")),
        asset("clock.js", SCRIPT, include_bytes!("../static/clock.js")),
        asset("live.js", SCRIPT, include_bytes!("../static/live.js")),
        asset("passkey.js", SCRIPT, include_bytes!("../static/passkey.js")),
        asset("htmx.min.js", SCRIPT, npm!("htmx.org/dist/htmx.min.js")),
        asset("idiomorph.min.js", SCRIPT, npm!("idiomorph/dist/idiomorph.min.js")),
        asset("mark.svg", PICTURE, include_bytes!("../static/mark.svg")),
        asset(
            "regular.woff2",
            LETTERS,
            npm!("@kern-ux/native/dist/fonts/fira-sans/FiraSans-Regular.woff2"),
        ),
        asset(
            "semibold.woff2",
            LETTERS,
            npm!("@kern-ux/native/dist/fonts/fira-sans/FiraSans-SemiBold.woff2"),
        ),
    ]
});

static FOLDER: LazyLock<String> = LazyLock::new(|| format!("/assets/{}", *BUILD));

static BUILD: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    for asset in &*ASSETS {
        digest.update(asset.name);
        digest.update(asset.bytes);
    }
    hex::encode(digest.finalize()).chars().take(DIGEST_CHARS).collect()
});

fn asset(name: &'static str, kind: &'static str, bytes: &'static [u8]) -> Asset {
    let packed = (kind != LETTERS).then(|| pack(bytes, Compression::best())).flatten();
    Asset { name, kind, bytes, packed }
}

/// Packed; nothing where it can not be, or gets no smaller.
pub(crate) fn pack(bytes: &[u8], level: Compression) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().filter(|packed| packed.len() < bytes.len())
}

/// Where they stand, without a slash at the end.
pub(crate) fn folder() -> &'static str {
    &FOLDER
}

/// Whether who asks can unpack what [`pack`] packs.
pub(crate) fn unpacks(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.any(|line| line.split(',').any(|one| one.trim().starts_with("gzip")))
}

/// One of them. That of another build is not there: whoever asks for it has an old page.
pub(crate) async fn one(
    Path((build, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = ASSETS.iter().find(|asset| asset.name == name && build == *BUILD);
    let asset = found.ok_or_else(nothing_here)?;
    let packed = asset.packed.as_ref().filter(|_| unpacks(&headers));
    let body = packed.map_or_else(|| Body::from(asset.bytes), |packed| Body::from(packed.clone()));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(CACHE_CONTROL, KEPT);
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if packed.is_some() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_page_waits_for_little_before_it_says_what_it_is() {
        let (first, rest) = *STYLES;
        let packed = pack(first.as_bytes(), Compression::best()).unwrap();
        assert!(packed.len() < 2_400 && first.contains(".identity h1"), "{}", packed.len());
        assert!(
            rest.starts_with(CUT) && !first.contains("@font-face"),
            "letters wait for all else"
        );
        let kern = ASSETS.iter().find(|asset| asset.name == "kern.min.css").unwrap();
        assert!(kern.bytes.len() < 80_000, "what no page uses is left out");
        let css = String::from_utf8_lossy(kern.bytes);
        for used in [".kern-btn--primary", ".kern-form-input__input", ".kern-badge--"] {
            assert!(css.contains(used), "{used}");
        }
    }

    /// Names after `before` in a text, as long as they are those of files.
    fn named<'t>(text: &'t str, before: &str) -> impl Iterator<Item = &'t str> {
        let name = |rest: &'t str| {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'));
            rest.get(..end.unwrap_or(rest.len())).filter(|name| name.contains('.'))
        };
        text.split(before).skip(1).filter_map(name)
    }

    fn templates(folder: &std::path::Path, into: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                templates(&path, into);
            } else {
                into.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn what_a_page_loads_is_there_and_what_is_there_is_loaded() {
        let mut pages = String::new();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        templates(std::path::Path::new(folder), &mut pages);
        let mut loaded: BTreeSet<&str> = named(&pages, "{{ frame.assets }}/").collect();
        // A sheet loads what it names beside itself.
        let sheets = ASSETS.iter().filter(|asset| asset.kind == CSS);
        let sheets = sheets.map(|asset| std::str::from_utf8(asset.bytes).unwrap());
        let sheets = sheets.collect::<Vec<_>>().join("\n");
        for before in ["url(\"", "url(", "@import \"", "@import url(\""] {
            loaded.extend(named(&sheets, before));
        }
        let there: BTreeSet<&str> = ASSETS.iter().map(|asset| asset.name).collect();
        assert_eq!(loaded, there);
    }
}
