//! `make openapi`: writes docs/openapi.yaml.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    std::fs::write(openapi::path(), openapi::text()?)?;
    Ok(())
}
