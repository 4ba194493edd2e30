//! The table without a function or an SDK before it: bytes over a connection that is kept, as a client sends and gets them.

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::clock;
use crate::figures::{Figures, micros, quantile};
use crate::stage::Reading;

type Failed = Box<dyn Error>;

/// One read of a key's credential: the table's own part of every key's check, whoever makes it.
pub fn read(figures: &mut Figures, reading: &Reading, times: usize) -> Result<(), Failed> {
    let request = request(reading);
    let mut stream = TcpStream::connect(&reading.address)?;
    stream.set_nodelay(true)?;
    let mut all = Vec::with_capacity(times);
    for _ in 0..times {
        let start = clock::now();
        stream.write_all(&request)?;
        let body = answer(&mut stream)?;
        all.push(micros(clock::now() - start));
        let found: Value = serde_json::from_slice(&body)?;
        if !found["Item"].is_object() {
            return Err(format!("the table answers {found}").into());
        }
    }
    // What is warm after the first calls is warm for good, as in `Round::calls`.
    figures.add("table key us", quantile(all.get(times / 4..).unwrap_or_default(), 0.5));
    Ok(())
}

/// As the SDK sends it, but for its user agent and a signature that is of the right length only: the engine looks at neither.
fn request(reading: &Reading) -> Vec<u8> {
    let key = json!({ "pk": { "S": format!("KEYHASH#{}", reading.key_hash) }, "sk": { "S": "CREDENTIAL" } });
    let body = json!({ "TableName": reading.table, "Key": key, "ConsistentRead": true }).to_string();
    let signature = "0".repeat(64);
    format!(
        "POST / HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-target: DynamoDB_20120810.GetItem\r\n\
         x-amz-date: 20260101T000000Z\r\nauthorization: AWS4-HMAC-SHA256 Credential=bench/20260101/eu-west-1/dynamodb/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={signature}\r\ncontent-length: {}\r\n\r\n{body}",
        reading.address,
        body.len()
    )
    .into_bytes()
}

/// The body of one answer.
fn answer(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let got = stream.read(&mut chunk)?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(chunk.get(..got).unwrap_or_default());
        let Some(head) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let length = length(bytes.get(..head).unwrap_or_default()).ok_or(io::ErrorKind::InvalidData)?;
        if bytes.len() >= head + 4 + length {
            return Ok(bytes.split_off(head + 4));
        }
    }
}

fn length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?.to_ascii_lowercase();
    head.lines().find_map(|line| line.strip_prefix("content-length:"))?.trim().parse().ok()
}
