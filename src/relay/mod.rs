//! SMTP out and the folder.
