//! What stands between fences in a document.

/// One block: the language named at its fence, and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// `sh`, `js`, …; empty where the fence names none.
    pub language: String,
    /// Everything between the fences, each line ended.
    pub text: String,
}

/// The blocks of a document, in order.
pub fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for line in document.lines() {
        match (open.as_mut(), line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block { language: language.trim().to_owned(), text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => block.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    found
}

/// The one block of a language.
pub fn only(document: &str, language: &str) -> Option<String> {
    let mut of_language = blocks(document).into_iter().filter(|it| it.language == language);
    let one = of_language.next()?;
    of_language.next().is_none().then_some(one.text)
}
