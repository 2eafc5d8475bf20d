//! Dialogs on sessions without sockets.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use postern::id::{Id, SessionId};
use postern::imap::session::{Door, Gone, Outlet, Pause, Tls};
use postern::imap::{Places, Purpose, Session};
use postern::net::Guesses;
use tokio::time::timeout;

use super::dialog::{Dialog, Exchange};
use super::house::House;
use crate::wire::Wire;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Bare {
    session: Session,
    out: Written,
    pause: Option<Pause>,
}

/// What a session sends, kept.
#[derive(Default)]
pub struct Written(pub Vec<u8>);

impl Outlet for Written {
    async fn send(&mut self, octets: &[u8]) -> Result<(), Gone> {
        self.0.extend_from_slice(octets);
        Ok(())
    }
}

struct Sessions<'a> {
    house: &'a House,
    dialog: &'a Dialog,
    door: Door,
}

pub async fn run(house: &House, dialog: &Dialog) -> Result<(), String> {
    let peer: IpAddr = "127.0.0.1".parse().unwrap();
    let guesses = Arc::new(Guesses::new(100, Duration::from_secs(60)));
    let door = Door { peer, guesses, places: Places::new(dialog.settings.limits.per_account) };
    dialog.play(&Sessions { house, dialog, door }, &house.person_for(dialog).await).await
}

impl Exchange for Sessions<'_> {
    type Wire = Bare;

    async fn connect(&self) -> Result<Bare, String> {
        let tls = if self.dialog.purpose == Purpose::Imaps { Tls::Active } else { Tls::Offered };
        let (id, settings) = (SessionId::from_octets([1; 16]), Arc::new(self.dialog.settings.clone()));
        let session = Session::open(id, self.house.gateway().clone(), settings, self.door.clone(), tls);
        let mut bare = Bare { session, out: Written::default(), pause: None };
        bare.advance().await;
        Ok(bare)
    }
}

impl Bare {
    async fn advance(&mut self) {
        self.pause = Some(self.session.advance(&mut self.out).await.unwrap());
    }
}

impl Wire for Bare {
    async fn send(&mut self, octets: &[u8]) {
        if matches!(self.pause, Some(Pause::NeedInput(_))) {
            self.session.receive(octets);
            self.advance().await;
        }
    }

    async fn more(&mut self) -> Result<Option<Vec<u8>>, String> {
        loop {
            match (std::mem::take(&mut self.out.0), self.pause) {
                (out, _) if !out.is_empty() => return Ok(Some(out)),
                (_, Some(Pause::Close(_))) => return Ok(None),
                _ => {}
            }
            timeout(PATIENCE, self.session.news()).await.map_err(|_| "nothing came")?;
            self.session.tell_in_idle().await;
            self.advance().await;
        }
    }

    async fn tls(&mut self) -> Result<(), String> {
        if self.pause != Some(Pause::StartTls) {
            return Err("the session did not ask for TLS".into());
        }
        self.session.secured();
        self.advance().await;
        Ok(())
    }
}
