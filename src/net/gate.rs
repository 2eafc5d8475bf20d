//! How many connections there may be, in all and of one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The limits.
#[derive(Debug, Clone, Copy)]
pub struct GateLimits {
    /// Connections in all, over all listeners that share the gate.
    pub connections: usize,
    /// Connections of one IPv4 address or one IPv6 /64 network, which is what one customer has.
    pub per_address: usize,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self { connections: 1000, per_address: 50 }
    }
}

/// Counts connections. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Gate {
    limits: GateLimits,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub struct Slot {
    gate: Gate,
    address: IpAddr,
}

impl Gate {
    /// An empty house.
    pub fn new(limits: GateLimits) -> Self {
        Self { limits, counts: Arc::default() }
    }

    /// A place, if there is one.
    pub fn admit(&self, peer: IpAddr) -> Option<Slot> {
        let address = customer(peer);
        let mut counts = self.counts();
        let of_address = counts.by_address.get(&address).copied().unwrap_or(0);
        if counts.all >= self.limits.connections || of_address >= self.limits.per_address {
            return None;
        }
        counts.all += 1;
        counts.by_address.insert(address, of_address + 1);
        drop(counts);
        Some(Slot { gate: self.clone(), address })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.gate.counts();
        counts.all -= 1;
        if let Some(count) = counts.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

/// What one customer of a provider has: an IPv4 address, or an IPv6 /64 network (its first address).
pub fn customer(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_per_address_and_in_all_and_given_back() {
        let gate = Gate::new(GateLimits { connections: 3, per_address: 2 });
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = gate.admit(ip("2001:db8::1")).unwrap();
        let _second = gate.admit(ip("2001:db8::ffff:1")).unwrap();
        assert!(gate.admit(ip("2001:db8::2")).is_none(), "one /64 is one customer");
        let _third = gate.admit(ip("192.0.2.1")).unwrap();
        assert!(gate.admit(ip("192.0.2.2")).is_none(), "three in all");
        drop(first);
        assert!(gate.admit(ip("2001:db8::3")).is_some());
        assert_eq!(gate.counts().by_address.len(), 2);
    }
}
