//! Secrets that cannot be printed.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A value that must not reach a log, an error or an answer by accident.
///
/// It has no `Display`, its `Debug` says `[sensitive]`, it is not `Serialize`, and its memory is wiped when dropped.
/// To use it one has to write [`Sensitive::expose`], which is what a reviewer looks for. Two of them are not compared, since `==` says by its
/// time where the first difference is: `crypto::equal` does not.
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

impl<T: Zeroize> ZeroizeOnDrop for Sensitive<T> {}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    struct Wiped(Rc<Cell<bool>>);

    impl Zeroize for Wiped {
        fn zeroize(&mut self) {
            self.0.set(true);
        }
    }

    /// Whether a type can be compared with `==`: the inherent constant comes before the trait's, where its bound holds.
    struct Compared<T>(std::marker::PhantomData<T>);

    impl<T: PartialEq> Compared<T> {
        const EASILY: bool = true;
    }

    trait Not {
        const EASILY: bool = false;
    }

    impl<T> Not for Compared<T> {}

    // Where one can be, this does not compile.
    const _: () = {
        assert!(Compared::<String>::EASILY, "the question is broken");
        assert!(!Compared::<Sensitive<String>>::EASILY);
        assert!(!Compared::<Sensitive<Vec<u8>>>::EASILY);
        assert!(!Compared::<crate::challenges::Code>::EASILY);
        assert!(!Compared::<crate::api_keys::PlainKey>::EASILY);
        assert!(!Compared::<crate::tokens::refresh_token::RefreshToken>::EASILY);
        assert!(!Compared::<crate::tokens::refresh_token::Salt>::EASILY);
        assert!(!Compared::<crate::secrets::RotatingKey>::EASILY);
    };

    #[test]
    fn a_secret_is_wiped_when_it_is_dropped() {
        let wiped = Rc::new(Cell::new(false));
        let secret = Sensitive::new(Wiped(Rc::clone(&wiped)));
        assert!(!wiped.get());
        drop(secret);
        assert!(wiped.get());
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Sensitive::new("hunter2".to_owned())), "[sensitive]");
    }
}
