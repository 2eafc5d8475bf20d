//! The paths of links in mails, behind `public_url` and before the token. GET on each is a page that changes nothing.

/// To a message.
pub const ENTER: &str = "/p/";
/// Single-use, to set the password.
pub const PASSWORD: &str = "/password/";
/// Single-use, instead of a code.
pub const MAGIC: &str = "/magic/";
/// To sign in.
pub const SIGN_IN: &str = "/sign-in";
