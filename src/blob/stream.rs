//! The format of a blob: 64 KiB chunks of AES-256-GCM in the STREAM construction.
