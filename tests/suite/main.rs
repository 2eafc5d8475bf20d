//! The integration tests, one binary.

mod storage;
