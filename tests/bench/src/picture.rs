//! The picture in `docs/performance.md`: cold starts, on a logarithmic scale, since they differ a hundredfold.

use std::fmt::Write as _;

use crate::figures::Figures;
use crate::programs::Name;
use crate::share::Share;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 270.0;
const BAR: f64 = 16.0;
const GAP: f64 = 26.0;

fn colour(name: Name) -> &'static str {
    match name {
        Name::Ours | Name::Empty => "#0f766e",
        Name::Naive => "#b45309",
        Name::Node => "#6d28d9",
        Name::Python => "#475569",
    }
}

/// One group of bars for each share, one bar for each program.
pub fn cold_starts(figures: &Figures, shares: &[Share]) -> String {
    let rows: Vec<(Share, Name, f64)> = shares
        .iter()
        .flat_map(|share| Name::AUTHORIZERS.map(|name| (*share, name)))
        .filter_map(|(share, name)| {
            let value = figures.median(&format!("{name:?} cold {} ms", share.name()))?;
            Some((share, name, value))
        })
        .collect();
    let most = rows.iter().map(|row| row.2).fold(10.0, f64::max);
    let long = |value: f64| (value.max(1.0).ln() / most.ln()) * (WIDTH - LEFT - 110.0);
    let mut body = String::new();
    let (mut y, mut last) = (64.0, None);
    for (share, name, value) in rows {
        if last != Some(share) {
            y += 14.0;
            let _ = writeln!(
                body,
                r#"<text x="16" y="{:.0}" font-weight="600">{}</text>"#,
                y + 12.0,
                share.name()
            );
            y += GAP;
            last = Some(share);
        }
        let colour = colour(name);
        let _ = writeln!(
            body,
            r#"<text x="{:.0}" y="{:.0}" text-anchor="end">{}</text>"#,
            LEFT - 10.0,
            y + 12.0,
            name.text()
        );
        let _ = writeln!(
            body,
            r#"<rect x="{LEFT}" y="{y:.0}" width="{:.1}" height="{BAR}" rx="3" fill="{colour}"/>"#,
            long(value)
        );
        let _ = writeln!(
            body,
            r#"<text x="{:.0}" y="{:.0}">{value:.1} ms</text>"#,
            LEFT + long(value) + 8.0,
            y + 12.0
        );
        y += GAP;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#1e293b\">\n\
         <title>Cold start over TLS: init and the first key check</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"30\" font-size=\"17\" font-weight=\"600\">Cold start over TLS: init + first key check</text>\n\
         <text x=\"16\" y=\"50\" fill=\"#64748b\">milliseconds, logarithmic; by the share of a processor that Lambda gives for the memory</text>\n\
         {body}</svg>\n",
        y + 16.0
    )
}
