//! A text as a QR code, drawn in SVG.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};
use shared::sensitive::Sensitive;

/// How much stays empty around the code, in its own squares (ISO/IEC 18004 section 6.3.8).
const QUIET: i32 = 4;

/// Draws a text: one line a row, dashed where its squares are dark. What is longer than any code, which an address cannot make it, is an
/// empty picture: the text stands beside it.
///
/// What the encoder makes of the text on its way cannot be wiped.
pub fn svg(text: &str) -> Sensitive<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok();
    let size = code.as_ref().map_or(0, QrCode::size);
    let (from, side) = (-QUIET, size + 2 * QUIET);
    // As long as it gets from the beginning: a text that grows leaves its beginnings behind.
    let mut drawn = String::with_capacity(32 * 1024);
    let _ = write!(
        drawn,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{from} {from}.5 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M{from} {from}.5h{side}v{side}h-{side}z\"/><path stroke=\"#000\" d=\"",
    );
    if let Some(code) = &code {
        (0..size).for_each(|y| row(code, y, &mut drawn));
    }
    drawn.push_str("\"/></svg>");
    Sensitive::new(drawn)
}

/// Draws what is dark of a row, from left to right.
fn row(code: &QrCode, y: i32, drawn: &mut String) {
    let (mut x, mut pen) = (0, None);
    while x < code.size() {
        let run = (x..code.size()).take_while(|at| code.get_module(*at, y)).count();
        let Ok(run @ 1..) = i32::try_from(run) else {
            x += 1;
            continue;
        };
        let _ = match pen {
            None => write!(drawn, "M{x} {y}h{run}"),
            Some(pen) => write!(drawn, "m{} 0h{run}", x - pen),
        };
        x += run;
        pen = Some(x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "otpauth://totp/Syncgram%20Pay:owner%40shop.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
                       &issuer=Syncgram%20Pay&algorithm=SHA1&digits=6&period=30";

    /// Which squares a drawing's dashes cover, read from its text alone.
    fn covered(svg: &str) -> Vec<(i32, i32)> {
        let path = svg.split("stroke=\"#000\" d=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let (mut squares, mut x, mut y) = (Vec::new(), 0, 0);
        let mut rest = path;
        while let Some(command) = rest.chars().next() {
            let end = rest[1..].find(|c: char| c.is_ascii_alphabetic()).map_or(rest.len(), |at| at + 1);
            let numbers: Vec<i32> = rest[1..end].split(' ').map(|number| number.parse().unwrap()).collect();
            match (command, numbers.as_slice()) {
                ('M', [to, row]) => (x, y) = (*to, *row),
                ('m', [by, 0]) => x += by,
                ('h', [run]) => {
                    squares.extend((x..x + run).map(|x| (x, y)));
                    x += run;
                }
                other => panic!("{other:?}"),
            }
            rest = &rest[end..];
        }
        squares
    }

    #[test]
    fn every_dark_square_is_drawn_and_no_other() {
        let code = QrCode::encode_text(URI, QrCodeEcc::Medium).unwrap();
        let code = &code;
        let dark = |y: i32| (0..code.size()).filter(move |x| code.get_module(*x, y)).map(move |x| (x, y));
        let expected: Vec<(i32, i32)> = (0..code.size()).flat_map(dark).collect();
        assert_eq!(covered(svg(URI).expose()), expected);
    }

    #[test]
    fn the_longest_address_fits_and_what_fits_nowhere_is_empty() {
        let longest = format!("otpauth://totp/{}?secret=", "%C3%B6".repeat(127));
        let drawn = svg(&longest);
        assert!(!covered(drawn.expose()).is_empty() && drawn.expose().capacity() == 32 * 1024, "it grew");
        assert!(covered(svg(&"a".repeat(3000)).expose()).is_empty());
    }

    #[test]
    fn it_is_short_and_holds_no_text_of_anybody() {
        let drawn = svg(URI);
        assert!(drawn.expose().len() < 8192, "{}", drawn.expose().len());
        assert!(!drawn.expose().contains("otpauth") && !drawn.expose().contains("script"));
    }
}
