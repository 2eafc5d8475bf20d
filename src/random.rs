//! Randomness: ids and tokens. The only module that draws random octets beside the ciphers' own.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use crate::id::Id;
use crate::secret::Secret;

/// Fresh random octets from the operating system.
///
/// # Panics
/// Where the operating system has no randomness to give; nothing safe can be done then.
pub fn octets<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    #[allow(clippy::expect_used, reason = "without randomness no key, token or id can be made")]
    SystemRandom::new().fill(&mut octets).expect("the operating system gives random octets");
    octets
}

/// A fresh id, ordered after those made before it (to the millisecond).
#[allow(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
pub fn id<T: Id>() -> T {
    T::from_octets(*uuid::Uuid::now_v7().as_bytes())
}

/// A fresh 256-bit token, written in base64url without padding (43 characters).
pub fn token() -> Secret<String> {
    Secret::new(data_encoding::BASE64URL_NOPAD.encode(&octets::<32>()))
}
