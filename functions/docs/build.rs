//! Takes Swagger UI out of the archive that a crate carries: the two files that a page needs, and under what licence they are.

use std::borrow::Cow;
use std::error::Error;
use std::fs::File;
use std::io::{Cursor, copy};
use std::path::Path;

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

const FILES: [&str; 4] = ["dist/swagger-ui.css", "dist/swagger-ui-bundle.js", "LICENSE", "NOTICE"];

#[expect(clippy::disallowed_methods, reason = "a build script is told its folder so, and no function is one")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = std::env::var("OUT_DIR")?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for name in FILES {
        // Everything in the archive is below one folder, named with the version.
        let inside = |path: &str| path.split_once('/').is_some_and(|(_, rest)| rest == name);
        let path = archive.file_names().filter_map(Result::ok).find(|path| inside(path)).map(Cow::into_owned);
        let mut file = archive.by_name(&path.ok_or(format!("{name} is not in the archive"))?)?;
        let to = Path::new(&folder).join(Path::new(name).file_name().unwrap_or_default());
        copy(&mut file, &mut File::create(to)?)?;
    }
    Ok(())
}
