//! What the process asks of the system so that keys and mail stay inside it.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask};

use crate::event::Event;

/// No core dumps, no ptrace by others, no file that others may read, no page in swap. What the system refuses is
/// logged and is no reason not to serve.
pub fn harden() {
    umask(rustix::fs::Mode::from_raw_mode(0o077));
    tell("core dumps", setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }));
    tell("non-dumpable", set_dumpable_behavior(DumpableBehavior::NotDumpable));
    // Under a limit a locked process would be refused memory later, in the middle of a message.
    if getrlimit(Resource::Memlock).current.is_none() {
        tell("locked memory", mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT));
    }
}

fn tell(what: &'static str, result: rustix::io::Result<()>) {
    if let Err(error) = result {
        Event::Trouble { place: "hardening", cause: format!("{what}: {error}") }.log();
    }
}
