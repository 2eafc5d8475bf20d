//! Work that is due: expiry, key destruction, checkpoints; ordered by time, guarded against a wrong clock.
