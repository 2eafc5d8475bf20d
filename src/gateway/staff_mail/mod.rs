//! A staff member's mail, as an IMAP session uses it after sign-in.
