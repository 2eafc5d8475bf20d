//! The request to stop, told to everybody who waits.

use tokio::sync::watch;

/// Hears of the request to stop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

/// Makes the request. Dropping it makes it too.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    /// One who asks, and one who hears.
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    /// Asks everybody to stop.
    pub fn request(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// The same request, for who waits on a channel: true once it is made.
    pub fn receiver(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }

    /// Returns once it is requested.
    pub async fn requested(&self) {
        // An error means that the stopper is gone, which is a request as well.
        let _ = self.0.clone().wait_for(|requested| *requested).await;
    }
}
