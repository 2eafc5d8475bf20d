//! SMTP in.
