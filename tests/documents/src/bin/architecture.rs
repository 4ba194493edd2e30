//! `make architecture`: draws the picture of docs/architecture.md anew, from infra/template.yaml.

use std::io::{Error, Result};

use documents::picture::redrawn;
use documents::root;
use documents::template::Template;

fn main() -> Result<()> {
    let path = root().join("docs/architecture.md");
    let template = std::fs::read_to_string(root().join("infra/template.yaml"))?;
    let template = Template::read(&template).map_err(Error::other)?;
    let document = std::fs::read_to_string(&path)?;
    let document =
        redrawn(&document, &template).ok_or_else(|| Error::other("the document has lost its marks"))?;
    std::fs::write(path, document)
}
