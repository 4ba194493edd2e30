//! The app as it is served: every file of `app/`, the document with its style and its policy, and the names that caches know them by.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lambda_http::http::HeaderValue;
use lambda_http::http::header::InvalidHeaderValue;
use shared::crypto::{hex, sha256};

/// One file of `app/`, in this program from its making.
#[derive(Debug)]
pub struct Asset {
    /// Its name, which is the last part of its path.
    pub name: &'static str,
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// What it holds. Text only: the gateway passes bodies on as text.
    pub text: &'static str,
}

/// The document, a template: `{{style}}` is where [`STYLE`] goes, `{{assets}}` the folder that the assets are in, seen from it.
const DOCUMENT: &str = include_str!("../app/index.html");
/// The style, which stands in the document: the first paint takes one request.
const STYLE: &str = include_str!("../app/app.css");

const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

macro_rules! assets {
    ($($name:literal as $content_type:expr),* $(,)?) => {
        &[$(Asset { name: $name, content_type: $content_type, text: include_str!(concat!("../app/", $name)) }),*]
    };
}

/// Whatever is asked for after the document. A file that is not here is not served; a test holds that none was forgotten.
const ASSETS: &[Asset] = assets![
    "api.js" as SCRIPT,
    "frame.js" as SCRIPT,
    "keys.js" as SCRIPT,
    "main.js" as SCRIPT,
    "new-key.js" as SCRIPT,
    "organization.js" as SCRIPT,
    "session.js" as SCRIPT,
    "sign-in.js" as SCRIPT,
    "ui.js" as SCRIPT,
    "icon.svg" as PICTURE,
];

/// What the document's policy says beside its style: only our own scripts run, only our own API is called, nothing is embedded, nothing
/// frames it, and no script makes markup or script out of text.
const POLICY: &str = "default-src 'none'; script-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The app, put together.
#[derive(Debug)]
pub struct Site {
    /// The document.
    pub document: String,
    /// Its entity tag (RFC 9110 section 8.8.3), quotes included: a weak one, since the gateway may compress the document.
    pub etag: HeaderValue,
    /// Its `Content-Security-Policy`.
    pub policy: HeaderValue,
    /// The folder of the assets: a hash over all of them, so what it once meant it always means.
    pub version: String,
}

impl Site {
    /// Puts the app together. The same program makes the same one everywhere.
    ///
    /// # Errors
    /// None that this program could meet anywhere but everywhere: tag and policy are made of what stands in headers.
    pub fn new() -> Result<Self, InvalidHeaderValue> {
        let version = version(ASSETS);
        let document =
            DOCUMENT.replace("{{assets}}", &format!("dashboard/{version}")).replace("{{style}}", STYLE);
        let etag = format!("W/\"{}\"", hex(&sha256(&[document.as_bytes()])[..16]));
        // CSP 3 section 2.3.1: of what stands between the tags, to the byte.
        let policy =
            format!("{POLICY}; style-src 'sha256-{}'", BASE64_STANDARD.encode(sha256(&[STYLE.as_bytes()])));
        Ok(Self { document, etag: etag.parse()?, policy: policy.parse()?, version })
    }

    /// An asset by the folder and the name in its path.
    pub fn asset(&self, version: &str, name: &str) -> Option<&'static Asset> {
        ASSETS.iter().find(|asset| version == self.version && asset.name == name)
    }
}

/// A hash over all assets: each name and text with its length before it, so no two sets run together into one.
fn version(assets: &[Asset]) -> String {
    let parts = assets.iter().flat_map(|asset| [asset.name, asset.content_type, asset.text]);
    let framed: Vec<u8> =
        parts.flat_map(|part| [&part.len().to_be_bytes()[..], part.as_bytes()].concat()).collect();
    hex(&sha256(&[&framed])[..8])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_of_the_app_is_served_and_nothing_else_is_in_its_folder() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("app");
        let there: BTreeSet<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let known = ASSETS.iter().map(|asset| asset.name).chain(["index.html", "app.css"]);
        assert_eq!(there, known.map(str::to_owned).collect());
    }

    #[test]
    fn the_document_holds_the_style_its_policy_allows_and_no_other() {
        let site = Site::new().unwrap();
        let policy = site.policy.to_str().unwrap();
        let (_, rest) = site.document.split_once("<style>").unwrap();
        let (style, rest) = rest.split_once("</style>").unwrap();
        let hash = BASE64_STANDARD.encode(sha256(&[style.as_bytes()]));
        assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "{policy}");
        for inline in ["<style", " style=", "javascript:", " onclick=", " onload=", " onsubmit="] {
            assert!(!rest.contains(inline), "{inline} is refused by the policy");
        }
        assert!(!site.document.contains("{{"), "a placeholder is left");
        assert!(!policy.contains("unsafe"), "{policy}");
    }

    #[test]
    fn whatever_is_changed_in_an_asset_changes_the_folder() {
        let of = |name, content_type, text| version(&[Asset { name, content_type, text }]);
        let one = of("a.js", "t", "x");
        assert_eq!(one, of("a.js", "t", "x"));
        let others = [of("b.js", "t", "x"), of("a.js", "u", "x"), of("a.js", "t", "y"), of("a.jst", "", "x")];
        assert!(!others.contains(&one));
        assert_eq!(one.len(), 16);
    }

    #[test]
    fn an_asset_is_found_by_its_folder_and_its_name_only() {
        let site = Site::new().unwrap();
        assert!(site.asset(&site.version, "main.js").is_some());
        assert!(site.asset("0000000000000000", "main.js").is_none());
        assert!(site.asset(&site.version, "index.html").is_none());
        assert!(site.asset(&site.version, "../main.js").is_none());
    }
}
