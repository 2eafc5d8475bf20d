//! One test for each fault that was found, headed by what happened. Newest last.
