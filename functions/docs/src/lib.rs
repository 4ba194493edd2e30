//! `/docs`: docs/openapi.yaml, for machines as it is, for people with Swagger UI around it, which comes with the function: the page asks
//! nobody else for anything.

use std::sync::LazyLock;

use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use shared::crypto;
use shared::flows::Refusal;
use shared::http::{self, Call, Problem};

/// Answers one event.
pub async fn handle(request: Request) -> Response<Body> {
    let call = Call::new(&request);
    let found = match call.route() {
        (&Method::GET | &Method::HEAD, _) => find(&call).ok_or_else(|| Problem::from(Refusal::NotFound)),
        _ => Err(Problem::MethodNotAllowed("GET, HEAD")),
    };
    match found.map(|(file, lasts)| show(file, lasts, &call)) {
        Ok(Some(response)) => response,
        Ok(None) => respond_with(Refusal::NotFound.into(), &call).await,
        Err(problem) => respond_with(problem, &call).await,
    }
}

async fn respond_with(problem: Problem, call: &Call<'_>) -> Response<Body> {
    http::respond(&call.origin().request_id, async { Err(problem) }).await
}

/// A file of the page.
struct Asset {
    name: &'static str,
    kind: &'static str,
    text: String,
    /// SHA-256, hexadecimal.
    hash: String,
}

impl Asset {
    fn new(name: &'static str, kind: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { name, kind, hash: crypto::sha256_hex(&[text.as_bytes()]), text }
    }

    /// Where the page asks for it: a path that changes with the file, so that caches may keep it for good.
    fn lasting_path(&self) -> String {
        format!("{}/{}", self.hash, self.name)
    }
}

static FILES: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let (script, style, plain) =
        ("text/javascript; charset=utf-8", "text/css; charset=utf-8", "text/plain; charset=utf-8");
    vec![
        Asset::new("openapi.yaml", "application/yaml", include_str!("../../../docs/openapi.yaml")),
        Asset::new("swagger-ui.css", style, include_str!(concat!(env!("OUT_DIR"), "/swagger-ui.css"))),
        Asset::new(
            "swagger-ui-bundle.js",
            script,
            include_str!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js")),
        ),
        Asset::new("page.css", style, include_str!("../page/page.css")),
        Asset::new("start.js", script, include_str!("../page/start.js")),
        Asset::new("LICENSE", plain, include_str!(concat!(env!("OUT_DIR"), "/LICENSE"))),
        Asset::new("NOTICE", plain, include_str!(concat!(env!("OUT_DIR"), "/NOTICE"))),
    ]
});

static PAGE: LazyLock<Asset> = LazyLock::new(|| {
    let page = FILES.iter().fold(include_str!("../page/index.html").to_owned(), |page, file| {
        page.replace(&format!("{{{}}}", file.name), &file.lasting_path())
    });
    Asset::new("", "text/html; charset=utf-8", page)
});

/// The file that is asked for, and whether its path is one that changes with it. The page's own addresses are relative, and `/docs/` is the
/// same page as `/docs`: what stands before a file's name, but for its hash, says nothing.
fn find(call: &Call<'_>) -> Option<(&'static Asset, bool)> {
    let path = match call.path_parameter("proxy") {
        Some(path) => path,
        None if call.route().1.ends_with("/openapi.yaml") => "openapi.yaml",
        None => return Some((&PAGE, false)),
    };
    let mut parts = path.rsplit('/');
    let name = parts.next()?;
    let file = FILES.iter().find(|file| file.name == name)?;
    Some((file, parts.next() == Some(file.hash.as_str())))
}

/// Scripts, styles and calls of this origin alone; Swagger UI's pictures are in its style sheet, as `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The file, or that it is what the client has. None: an answer that cannot be built.
fn show(file: &Asset, lasts: bool, call: &Call<'_>) -> Option<Response<Body>> {
    let tag = format!("\"{}\"", file.hash);
    let known = call.headers().get_all(header::IF_NONE_MATCH).iter().filter_map(|it| it.to_str().ok());
    // A gateway that compresses an answer may weaken its tag.
    let known = known.flat_map(|it| it.split(',')).any(|it| it.trim().trim_start_matches("W/") == tag);
    let (status, body) = match known {
        true => (StatusCode::NOT_MODIFIED, Body::Empty),
        false => (StatusCode::OK, Body::Text(file.text.clone())),
    };
    let cache = if lasts { "public, max-age=31536000, immutable" } else { "no-cache" };
    let response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, file.kind)
        .header(header::CACHE_CONTROL, cache)
        .header(header::ETAG, tag)
        // The gateway compresses for whoever asks for it, and is not known to say so.
        .header(header::VARY, "Accept-Encoding")
        .header("x-request-id", call.origin().request_id.as_str())
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .header(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::X_FRAME_OPTIONS, "DENY")
        .header(header::REFERRER_POLICY, "no-referrer")
        .header("cross-origin-opener-policy", "same-origin")
        .header("cross-origin-resource-policy", "same-origin");
    response.body(body).ok()
}
