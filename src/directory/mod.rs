//! The directory: addresses the clinic has written to, and who stands behind them.
