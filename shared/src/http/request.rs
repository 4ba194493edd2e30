//! Bodies with types of their own: which fields one has, what each can be, and what the document says of it, written once.

use super::{Field, Fields, Problem};

/// A body that a route takes. `request!` makes one of a struct.
pub trait Request: Sized {
    /// Reads all fields. What is wrong is told at once.
    ///
    /// # Errors
    /// [`Problem::Invalid`] with every field that is not what it must be.
    fn read(fields: Fields) -> Result<Self, Problem>;
}

/// A field as a body has it: there, or allowed to be missing.
pub trait Member: Sized {
    /// Reads the field. `None`: it is wrong, and [`Fields::problem`] will say so.
    fn take(fields: &mut Fields, name: &'static str) -> Option<Self>;
}

impl<T: Field> Member for T {
    fn take(fields: &mut Fields, name: &'static str) -> Option<Self> {
        fields.required(name, T::read)
    }
}

/// May be missing, or null, which is the same.
impl<T: Field> Member for Option<T> {
    fn take(fields: &mut Fields, name: &'static str) -> Option<Self> {
        let before = fields.problems();
        let value = fields.optional(name, T::read);
        (fields.problems() == before).then_some(value)
    }
}

/// A struct whose fields are a body's fields, by name and in order: [`Request`] for us, `JsonSchema` for docs/openapi.yaml.
#[macro_export]
macro_rules! request {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$says:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(schemars::JsonSchema)]
        pub struct $name { $($(#[$says])* pub $field: $type,)* }

        impl $crate::http::Request for $name {
            fn read(mut fields: $crate::http::Fields) -> Result<Self, $crate::http::Problem> {
                $(let $field = <$type as $crate::http::Member>::take(&mut fields, stringify!($field));)*
                match ($($field,)*) {
                    ($(Some($field),)*) => Ok(Self { $($field,)* }),
                    _ => Err(fields.problem()),
                }
            }
        }
    };
}
