//! Passwords that are long enough and known all the same: the commonest long ones of published breaches, and phrases that
//! stand in every advice about passwords.

/// Sorted, in small letters and digits only; what is put before or behind (`!`, a year) changes nothing.
const KNOWN: [&str; 73] = [
    "1234567891234567",
    "123456789abcdefg",
    "123qweasdzxc123qwe",
    "1password1password",
    "1q2w3e4r5t6y7u8i",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv",
    "1qaz2wsx3edc4rfv5tgb",
    "1qaz2wsx3edc4rfv5tgb6yhn",
    "abcd1234abcd1234",
    "adminadminadmin",
    "administrator",
    "adminpassword",
    "asdfghjklasdfghjkl",
    "asdfghjklqwertyuiop",
    "changemechangeme",
    "changethispassword",
    "chocolatechocolate",
    "computerpassword",
    "contrasenacontrasena",
    "correcthorsebatterystaple",
    "defaultpassword",
    "doctorpassword",
    "dontforgetthis",
    "forgetmenotforgetme",
    "fuckyoufuckyou",
    "hospitalpassword",
    "icantrememberit",
    "iforgotmypassword",
    "ihatepasswords",
    "ilovemyfamily",
    "iloveyouforever",
    "iloveyouiloveyou",
    "iloveyousomuch",
    "itsasecretpassword",
    "jesuschristislord",
    "letmeinletmein",
    "letmeinplease",
    "liverpoolfootballclub",
    "manchesterunited",
    "motdepassemotdepasse",
    "mynewpassword",
    "mypasswordis",
    "mypasswordispassword",
    "mypasswordmypassword",
    "mysecretpassword",
    "neverforgetthis",
    "newpasswordnewpassword",
    "openthedoorplease",
    "passw0rdpassw0rd",
    "passwordisnotsafe",
    "passwordispassword",
    "passwordpassword",
    "passwortpasswort",
    "pleaseletmein",
    "princessprincess",
    "q1w2e3r4t5y6u7i8",
    "qazwsxedcrfvtgb",
    "qwerasdfzxcvqwer",
    "qwerty123456789",
    "qwertyqwerty",
    "qwertyuiopasdfg",
    "secretpassword",
    "supersecretpassword",
    "temporarypassword",
    "thequickbrownfox",
    "thequickbrownfoxjumps",
    "thisisapassword",
    "thisismypassword",
    "trustno1trustno1",
    "welcometothejungle",
    "whateverwhatever",
    "zxcvbnmasdfghjkl",
];

/// Whether a password is one of them, whatever its case and the signs in it, with no more than six digits added.
pub fn is_known(password: &str) -> bool {
    let plain: String = password.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let signs = password.chars().any(|c| c.is_alphanumeric() && !c.is_ascii());
    let bare = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    let added = plain.len() - bare.len();
    let listed = |text: &str| KNOWN.binary_search(&text).is_ok();
    !signs && (listed(&plain) || (added <= 6 && listed(bare)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_plain() {
        assert!(KNOWN.is_sorted());
        assert!(KNOWN.iter().all(|known| known.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())));
    }

    #[test]
    fn known_ones_are_found_however_they_are_written() {
        for (password, expected) in [
            ("correct horse battery staple", true),
            ("Correct-Horse-Battery-Staple!", true),
            ("ThisIsMyPassword2026", true),
            ("1qaz2wsx3edc4rfv", true),
            ("Administrator123!", true),
            ("thisismypassword20261122", false),
            ("the correct horse has a battery", false),
            ("mot de passe très sûr", false),
        ] {
            assert_eq!(is_known(password), expected, "{password}");
        }
    }
}
