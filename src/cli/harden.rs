//! What the process asks of the system so that keys and mail stay inside it.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask};

/// No core dumps, no ptrace by others, no file that others may read, no page in swap.
///
/// # Errors
/// What the system refused, in words; that is no reason not to go on.
pub fn harden() -> Result<(), String> {
    umask(rustix::fs::Mode::from_raw_mode(0o077));
    let said = |what: &'static str| move |error: rustix::io::Errno| format!("{what} could not be had: {error}");
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(said("freedom from core dumps"))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(said("protection from other processes"))?;
    // Under a limit a locked process would be refused memory later, in the middle of a message.
    if getrlimit(Resource::Memlock).current.is_none() {
        let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
        mlockall(flags).map_err(said("memory that is never swapped"))?;
    }
    Ok(())
}
