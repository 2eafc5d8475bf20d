//! A value that cannot be printed, and is wiped when it is dropped.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Holds a password, a key or a token. `Debug` prints `Secret(…)` in every build.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the value into keeping.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; the name marks the door.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Gives types that hold people's names, addresses or texts a `Debug` that prints the type's name and nothing of them:
/// what is printed by `{:?}` ends in logs sooner or later.
macro_rules! silent_debug {
    ($($name:ty),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}

pub(crate) use silent_debug;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        let secret = Secret::new(String::from("hunter2"));
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(…) Secret(…)");
        assert_eq!(secret.expose(), "hunter2");
    }
}
