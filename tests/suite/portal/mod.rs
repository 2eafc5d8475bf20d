//! The portal: every page and state, the attacks on it, and what only a socket shows.

mod attacks;
mod browser;
mod documents;
mod fake;
mod live;
mod look;
mod pages;
mod reply;
mod setup;
mod words;
