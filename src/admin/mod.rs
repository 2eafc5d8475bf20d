//! The Unix socket for commands.
