//! A panic ends one session, and the log learns the place and nothing else: what a panic says may
//! hold a piece of somebody's mail.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use crate::event::Event;

thread_local! {
    static ISOLATED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// From now on a panic prints `file:line` as an event, never its payload. Call it first thing in `main`.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map_or_else(|| "unknown".into(), |at| format!("{}:{}", at.file(), at.line()));
        if ISOLATED.get() {
            PLACE.set(place);
        } else {
            Event::Trouble { place: "panic", cause: place }.log();
        }
    }));
}

/// Runs a future to its end.
///
/// # Errors
/// The place, if it panicked. (It is empty where [`install_panic_hook`] was not called.)
pub(super) async fn isolate(future: impl Future<Output = ()>) -> Result<(), String> {
    let mut future = pin!(future);
    poll_fn(|context| {
        let outer = ISOLATED.replace(true);
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        ISOLATED.set(outer);
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
            Err(_) => Poll::Ready(Err(PLACE.take())),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_held_and_leaves_its_place() {
        install_panic_hook();
        let held = isolate(async {
            tokio::task::yield_now().await;
            panic!("Jane Citizen, 1980-03-04");
        })
        .await;
        let _ = std::panic::take_hook();
        let place = held.unwrap_err();
        assert!(place.contains("panics.rs:") && !place.contains("Jane"), "{place}");
        assert_eq!(isolate(async {}).await, Ok(()));
    }
}
