//! Compresses answers as a REST API does: those of at least `MinimumCompressionSize` bytes, for clients that name a coding it knows, unless
//! the function says that its answer has one already.
//!
//! Whether the real one adds `Vary` and what it does to an `ETag` is not documented; this one leaves both to the function.

use std::io::Write as _;

use axum::body::{Body, HttpBody as _};
use axum::response::Response;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use http::{HeaderMap, HeaderValue, header};

/// What a REST API compresses with; of two that are as welcome, the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
}

/// Compresses an answer where the client's headers and the template's threshold say so.
pub(super) async fn compress(response: Response, asked: &HeaderMap, from_bytes: Option<u64>) -> Response {
    let Some((coding, from_bytes)) = coding(asked).zip(from_bytes) else {
        return response;
    };
    let small = response.body().size_hint().upper().is_some_and(|length| length < from_bytes);
    if small || response.headers().contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // A body that a function has answered is whole already.
    let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let (name, squeezed) = match coding {
        Coding::Gzip => ("gzip", gzip(&whole)),
        Coding::Deflate => ("deflate", deflate(&whole)),
    };
    let Ok(squeezed) = squeezed else {
        return Response::from_parts(parts, Body::from(whole));
    };
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(squeezed))
}

fn gzip(whole: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(whole)?;
    encoder.finish()
}

/// RFC 9110 section 8.4.1.2: `deflate` is the zlib format.
fn deflate(whole: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(whole)?;
    encoder.finish()
}

/// The coding that the client likes best. None named, and `*` alone, is none: the real one wants a name.
fn coding(asked: &HeaderMap) -> Option<Coding> {
    let named = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let offers: Vec<_> = named.flat_map(|list| list.split(',')).filter_map(offer).collect();
    let weight = |name: &str| {
        let weights = offers.iter().filter(|(coding, _)| coding.eq_ignore_ascii_case(name));
        weights.map(|(_, weight)| *weight).fold(0.0_f32, f32::max)
    };
    let (gzip, deflate, identity) = (weight("gzip"), weight("deflate"), weight("identity"));
    let best = gzip.max(deflate);
    (best > 0.0 && best >= identity).then_some(if gzip >= deflate { Coding::Gzip } else { Coding::Deflate })
}

/// A coding and its weight, `gzip;q=0.5`.
fn offer(text: &str) -> Option<(&str, f32)> {
    let mut parts = text.split(';').map(str::trim);
    let coding = parts.next()?;
    let weight = parts.find_map(|it| it.strip_prefix("q=")).map_or(Some(1.0), |it| it.parse().ok())?;
    Some((coding, weight))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn asked(accept: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, accept.parse().unwrap())])
    }

    async fn bytes(response: Response) -> Vec<u8> {
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
    }

    #[test]
    fn the_client_chooses_by_name_and_by_weight() {
        for (accept, expected) in [
            ("gzip, deflate, br", Some(Coding::Gzip)),
            ("GZIP", Some(Coding::Gzip)),
            ("deflate", Some(Coding::Deflate)),
            ("gzip;q=0.5, deflate;q=0.8", Some(Coding::Deflate)),
            ("gzip;q=0", None),
            ("identity, gzip;q=0.5", None),
            ("br", None),
            ("*", None),
            ("", None),
            ("gzip;q=x", None),
        ] {
            assert_eq!(coding(&asked(accept)), expected, "{accept}");
        }
        assert_eq!(coding(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn what_reaches_the_threshold_is_compressed_and_opens_again() {
        let text = "a".repeat(100);
        let answer = || Response::new(Body::from(text.clone()));
        let gzipped = compress(answer(), &asked("gzip"), Some(100)).await;
        assert_eq!(gzipped.headers()[header::CONTENT_ENCODING], "gzip");
        let mut opened = String::new();
        flate2::read::GzDecoder::new(bytes(gzipped).await.as_slice()).read_to_string(&mut opened).unwrap();
        assert_eq!(opened, text);
        let deflated = compress(answer(), &asked("deflate"), Some(100)).await;
        assert_eq!(deflated.headers()[header::CONTENT_ENCODING], "deflate");
        opened.clear();
        flate2::read::ZlibDecoder::new(bytes(deflated).await.as_slice()).read_to_string(&mut opened).unwrap();
        assert_eq!(opened, text);
    }

    #[tokio::test]
    async fn everything_else_stays_as_it_is() {
        let text = "a".repeat(100);
        let answer = || Response::new(Body::from(text.clone()));
        let coded = || {
            let mut answer = answer();
            answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
            answer
        };
        for (answer, accept, from_bytes) in [
            (answer(), "gzip", Some(101)),
            (answer(), "gzip", None),
            (answer(), "br", Some(0)),
            (coded(), "gzip", Some(0)),
        ] {
            let before = answer.headers().clone();
            let same = compress(answer, &asked(accept), from_bytes).await;
            assert_eq!(same.headers(), &before);
            assert_eq!(bytes(same).await, text.as_bytes());
        }
    }
}
