//! Randomness: ids and tokens. The only module that draws random octets beside the ciphers' own.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

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

/// Letters and digits without those mistaken for one another.
const READABLE: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// How many of them a readable password has.
const READABLE_LENGTH: usize = 20;

/// A fresh password for people to type: four groups of five letters and digits, 100 bits.
pub fn readable_password() -> Secret<String> {
    let drawn = Zeroizing::new(octets::<READABLE_LENGTH>());
    let mut password = String::with_capacity(2 * READABLE_LENGTH);
    for (at, octet) in drawn.iter().enumerate() {
        if at > 0 && at % 5 == 0 {
            password.push('-');
        }
        password.push(char::from(READABLE[usize::from(octet % 32)]));
    }
    Secret::new(password)
}

/// Whether this may be one of [`readable_password`], without its hyphens.
pub fn is_readable_password(password: &Secret<String>) -> bool {
    let signs = password.expose().as_bytes();
    signs.len() == READABLE_LENGTH && signs.iter().all(|sign| READABLE.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readable_password_is_long_and_plain() {
        let password = readable_password();
        assert_eq!(password.expose().len(), 23);
        assert!(is_readable_password(&Secret::new(password.expose().replace('-', ""))));
        assert_ne!(password.expose(), readable_password().expose());
        for other in ["seven clover anvils hum", "", "abcdefghijkmnpqrstu", "abcdefghijkmnpqrst0l"] {
            assert!(!is_readable_password(&Secret::new(other.to_owned())), "{other}");
        }
    }
}
