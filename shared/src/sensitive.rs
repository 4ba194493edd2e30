//! Secrets that cannot be printed.

use std::fmt;

use zeroize::Zeroize;

/// A value that must not reach a log, an error or an answer by accident.
///
/// It has no `Display`, its `Debug` says `[sensitive]`, it is not `Serialize`, and its memory is wiped when dropped.
/// To use it one has to write [`Sensitive::expose`], which is what a reviewer looks for.
pub struct Sensitive<T: Zeroize>(T);

impl<T: Zeroize> Sensitive<T> {
    /// Takes the value in.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Sensitive<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[sensitive]")
    }
}

impl<T: Zeroize + Clone> Clone for Sensitive<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Zeroize> Drop for Sensitive<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Sensitive::new("hunter2".to_owned())), "[sensitive]");
    }
}
