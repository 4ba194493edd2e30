//! What is uploaded: a program, and the zip it travels in.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::figures::Figures;

/// Bytes of each function's program and zip.
pub fn measure(figures: &mut Figures, functions: &Path, work: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(functions)? {
        let folder = entry?.path();
        let bootstrap = folder.join("bootstrap");
        let Some(name) = folder.file_name().and_then(|it| it.to_str()).filter(|_| bootstrap.exists()) else {
            continue;
        };
        let zip = work.join(format!("{name}.zip"));
        // Python's own zip, at the level that `sam package` takes, of all that travels: its bill of materials, too.
        let files: Vec<_> =
            fs::read_dir(&folder)?.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>()?;
        let made = Command::new("python3").args(["-m", "zipfile", "-c"]).arg(&zip).args(files).status()?;
        if !made.success() {
            return Err("python3 -m zipfile failed".into());
        }
        figures.add(format!("{name} binary MB"), megabytes(&bootstrap)?);
        figures.add(format!("{name} zip MB"), megabytes(&zip)?);
        names.push(name.to_owned());
    }
    names.sort();
    Ok(names)
}

#[expect(clippy::cast_precision_loss, reason = "megabytes")]
fn megabytes(path: &Path) -> std::io::Result<f64> {
    Ok(fs::metadata(path)?.len() as f64 / 1e6)
}
