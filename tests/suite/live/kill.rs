//! kill -9 under load: every 250 is accounted for, and a crash doubles at most one delivery.

use std::time::Duration;

use super::clinic::{Clinic, Setup};
use super::load::{Load, account_for};

/// `tests/soak kill 200` sets another count.
const KILLS: usize = 15;

#[test]
fn every_250_survives_kill_9() {
    let kills = std::env::var("POSTERN_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(KILLS);
    let mut clinic = Clinic::new(&Setup::default());
    let mut acknowledged = Vec::new();
    let mut chance = Chance(u64::from(std::process::id()));
    println!("seed {}", chance.0);
    for round in 0..kills {
        clinic.start();
        let load = Load::start(clinic.trusted(), 4, &format!("kill{round}"));
        // At least one 250 a round, then death at any moment of the next quarter of a second.
        assert!(clinic.wait_while_running(|_| load.acknowledged() > 0), "{}", clinic.last_words());
        std::thread::sleep(Duration::from_micros(chance.below(250_000)));
        clinic.kill();
        acknowledged.extend(load.stop());
    }
    clinic.start();
    let twice = account_for(&mut clinic, &acknowledged);
    println!("{kills} kills, {} acknowledged recipients, none lost, {twice} doubled", acknowledged.len());
    assert!(twice <= kills, "{twice} doubled by {kills} kills");
    let sound = clinic.run(&["vault", "verify", "--json"], "");
    assert!(sound.status.success(), "{}", super::clinic::words(&sound));
    assert!(clinic.stop().success());
}

/// A small generator (xorshift64*, Vigna 2016): the moments of death differ from run to run and are printed as a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.max(1);
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }
}
