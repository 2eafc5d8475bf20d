//! New passwords: what is not taken, in words for who chose it.

use crate::accounts::PasswordError;
use crate::accounts::password::{LONGEST, SHORTEST};
use crate::gateway::visits::VisitError;
use crate::guests::{Guest, Guests};
use crate::policy::Practice;
use crate::secret::Secret;

/// Why a new password is not taken. The text's id is `fault-` and this word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewPassword {
    /// Shorter than fifteen characters.
    TooShort,
    /// Longer than 1,024 octets.
    TooLong,
    /// On the list of known passwords, or made of the address or the practice's name.
    Known,
    /// The present password is wrong.
    WrongPresent,
}

/// The PHC string of a guest's new password, or what is wrong with it.
pub(super) async fn hash(
    guests: &Guests,
    guest: &Guest,
    practice: &Practice,
    password: &Secret<String>,
) -> Result<Result<String, NewPassword>, VisitError> {
    let own =
        [guest.address.to_string(), guest.address.local_part().to_owned(), practice.name.clone(), guest.name.clone()];
    let text = password.expose();
    // The cheap rules first, in the order in which they help.
    if text.len() <= LONGEST && text.chars().count() >= SHORTEST && own.iter().any(|own| is_made_of(text, own)) {
        return Ok(Err(NewPassword::Known));
    }
    match guests.passwords().hash(password).await {
        Ok(hash) => Ok(Ok(hash)),
        Err(PasswordError::TooShort) => Ok(Err(NewPassword::TooShort)),
        Err(PasswordError::TooLong) => Ok(Err(NewPassword::TooLong)),
        Err(PasswordError::Common) => Ok(Err(NewPassword::Known)),
        Err(PasswordError::NoMemory) => Err(VisitError::Busy),
    }
}

/// Whether a password is these words, once or over and over, whatever stands between them and however they are written,
/// with no more than a few digits or signs added: `Example Clinic 2026!`.
fn is_made_of(password: &str, words: &str) -> bool {
    let letters = |text: &str| text.to_lowercase().chars().filter(|c| c.is_alphabetic()).collect::<String>();
    let (password, words) = (letters(password), letters(words));
    words.chars().count() >= 3 && !password.is_empty() && password.replace(&words, "").is_empty()
}

#[cfg(test)]
mod tests {
    use super::is_made_of;

    #[test]
    fn who_one_is_and_where_is_no_password() {
        for (password, words, expected) in [
            ("jane.roe@home.example", "jane.roe@home.example", true),
            ("Example Clinic 2026!", "Example Clinic", true),
            ("janeroejaneroejaneroe1", "jane.roe", true),
            ("the example clinic is warm", "Example Clinic", false),
            ("123456789012345678", "Jo", false),
            ("!!!!????!!!!????!!!!", "Example Clinic", false),
        ] {
            assert_eq!(is_made_of(password, words), expected, "{password}");
        }
    }
}
