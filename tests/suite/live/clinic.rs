//! A clinic of its own for one test: folders, configuration, and the server over them.

use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The staff member that [`Clinic::with_jane`] adds.
pub const JANE: &str = "jane@clinic.example";
/// Her password.
pub const PASSWORD: &str = "seven clover anvils hum";
/// The name on the server's certificate.
pub const HOST: &str = "mail.clinic.example";

/// Where the server's mail goes.
#[derive(Clone)]
pub enum Relay {
    /// Into `outbox`.
    Folder,
    /// To a server in the clear.
    Smarthost(SocketAddr),
}

/// What a test may set. The rest is as the repository ships it.
#[derive(Clone)]
pub struct Setup {
    /// Where mail goes.
    pub relay: Relay,
    /// `identity` of the trusted listener.
    pub identity: &'static str,
    /// Lines put at the end of the configuration.
    pub more: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self { relay: Relay::Folder, identity: "any", more: String::new() }
    }
}

/// The folders, and the server while it runs.
pub struct Clinic {
    folder: TempDir,
    address: String,
    server: Option<Child>,
    starts: u32,
}

impl Clinic {
    /// Folders as on the day of installation; nothing was started yet.
    pub fn new(setup: &Setup) -> Self {
        let folder = tempfile::Builder::new().prefix("clinic").tempdir().unwrap();
        copy(&repository().join("policies"), &folder.path().join("policies"));
        // Questions and status mails have tests of their own (`gateway::`); these count what else is delivered.
        let quiet = "[[rule]]\nname = \"quiet\"\n[rule.set]\nask = false\nstatus_mail = \"never\"\n";
        fs::write(folder.path().join("policies/90-quiet.toml"), quiet).unwrap();
        leave_out_questions(&folder.path().join("policies/tests/shipped.toml"));
        fs::create_dir(folder.path().join("tmp")).unwrap();
        let clinic = Self { folder, address: own_address(), server: None, starts: 0 };
        clinic.configure(setup);
        clinic
    }

    /// A running clinic with one member of staff, [`JANE`].
    pub fn with_jane() -> Self {
        let mut clinic = Self::new(&Setup::default());
        clinic.start();
        let added = clinic.run(&["staff", "add", JANE, "--password-stdin"], &format!("{PASSWORD}\n"));
        assert!(added.status.success(), "staff add: {}", words(&added));
        clinic
    }

    /// Writes config.toml anew; the next start reads it.
    pub fn configure(&self, setup: &Setup) {
        let relay = match &setup.relay {
            Relay::Folder => "mode = \"folder\"\npath = \"outbox\"".to_owned(),
            Relay::Smarthost(far) => {
                format!("mode = \"smarthost\"\nhost = \"{}\"\nport = {}\ntls = \"none\"", far.ip(), far.port())
            }
        };
        let text = format!(
            r#"[gateway]
hostname = "{HOST}"
public_url = "https://{HOST}"
data_dir = "data"
policies = "policies"
certs = "certs"
keyring = "keys"

[smtp]
submission = ["{submission}"]
submissions = ["{submissions}"]
inbound = []

[[smtp.relay]]
listen = "{trusted}"
networks = ["127.0.0.0/8"]
tls = "optional"
identity = "{identity}"

[relay]
{relay}

[keys]
master = "file:keys/master.key"
{more}
"#,
            submission = self.submission(),
            submissions = self.submissions(),
            trusted = self.trusted(),
            identity = setup.identity,
            more = setup.more,
        );
        fs::write(self.path("config.toml"), text).unwrap();
    }

    /// The STARTTLS listener.
    pub fn submission(&self) -> SocketAddr {
        self.at(2587)
    }

    /// The listener with TLS from the first octet.
    pub fn submissions(&self) -> SocketAddr {
        self.at(2465)
    }

    /// The `[[smtp.relay]]` listener.
    pub fn trusted(&self) -> SocketAddr {
        self.at(2526)
    }

    /// A port on this clinic's own address.
    pub fn at(&self, port: u16) -> SocketAddr {
        format!("{}:{port}", self.address).parse().unwrap()
    }

    /// A path below the clinic's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the server and waits until it says `Ready`.
    pub fn start(&mut self) {
        self.start_with(&[]);
    }

    /// The same with environment variables.
    pub fn start_with(&mut self, environment: &[(&str, &str)]) {
        self.spawn(environment);
        let said = |clinic: &Self| clinic.last_words().lines().any(|line| line.starts_with("Ready"));
        if !self.wait_while_running(said) {
            panic!("the server did not get ready:\n{}", self.last_words());
        }
    }

    /// Starts the server and waits for its end: for starts that must fail.
    pub fn start_expecting_failure(&mut self) -> (ExitStatus, String) {
        self.spawn(&[]);
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let server = self.server.as_mut().unwrap();
            if let Some(status) = server.try_wait().unwrap() {
                self.server = None;
                return (status, self.last_words());
            }
            if Instant::now() > deadline {
                panic!("the server neither failed nor ended:\n{}", self.last_words());
            }
            pause();
        }
    }

    /// Ends the server as systemd does, and waits.
    pub fn stop(&mut self) -> ExitStatus {
        let mut server = self.server.take().expect("the server was started");
        kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = server.try_wait().unwrap() {
                return status;
            }
            if Instant::now() > deadline {
                let _ = server.kill();
                panic!("the server did not end within 30 s of SIGTERM:\n{}", self.last_words());
            }
            pause();
        }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        let mut server = self.server.take().expect("the server was started");
        let _ = server.kill();
        server.wait().unwrap();
    }

    /// Waits for the server to end by itself (a crash point); its status.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let mut server = self.server.take().expect("the server was started");
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = server.try_wait().unwrap() {
                return status;
            }
            if Instant::now() > deadline {
                let _ = server.kill();
                panic!("the server did not reach its crash point");
            }
            pause();
        }
    }

    /// Whether the server still runs.
    pub fn is_running(&mut self) -> bool {
        self.server.as_mut().is_some_and(|server| server.try_wait().unwrap().is_none())
    }

    /// The server's process number.
    pub fn pid(&self) -> u32 {
        self.server.as_ref().expect("the server was started").id()
    }

    /// Another command of the program in this clinic.
    pub fn run(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// All that the server has printed since the first start.
    pub fn all_words(&self) -> String {
        (1..=self.starts).map(|start| self.words_of(start)).collect()
    }

    /// What it has printed since the last start.
    pub fn last_words(&self) -> String {
        self.words_of(self.starts)
    }

    /// Waits until something holds, at most 60 s; `false` if it never did or the server ended.
    pub fn wait_while_running(&mut self, mut holds: impl FnMut(&Self) -> bool) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if holds(self) {
                return true;
            }
            if !self.is_running() || Instant::now() > deadline {
                return holds(self);
            }
            pause();
        }
    }

    fn spawn(&mut self, environment: &[(&str, &str)]) {
        assert!(self.server.is_none(), "the server runs already");
        self.starts += 1;
        let log = File::create(self.log_path(self.starts)).unwrap();
        let server = self
            .command()
            .args(["serve", "--config", "config.toml"])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.server = Some(server);
    }

    fn command(&self) -> Command {
        // The long runs name a release build.
        let program = std::env::var_os("POSTERN_SERVER").unwrap_or_else(|| env!("CARGO_BIN_EXE_postern").into());
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("TMPDIR", self.path("tmp")).env_remove("NOTIFY_SOCKET");
        command
    }

    fn log_path(&self, start: u32) -> PathBuf {
        self.path(&format!("printed.{start}.log"))
    }

    fn words_of(&self, start: u32) -> String {
        fs::read(self.log_path(start)).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default()
    }
}

impl Drop for Clinic {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        if std::thread::panicking() {
            eprintln!("the server printed:\n{}", self.all_words());
        }
    }
}

/// What a finished command printed.
pub fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    files
}

/// Where the repository is.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// One turn of a wait.
pub fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}

/// A loopback address that no other test uses: all of 127/8 is this machine.
fn own_address() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    format!("127.{}.{}.{}", 1 + process / 250 % 250, 1 + process % 250, 1 + count % 250)
}

/// What the shipped tests promise about questions does not hold where nobody is asked.
fn leave_out_questions(tests: &Path) {
    let text = fs::read_to_string(tests).unwrap();
    let kept: Vec<&str> = text.split("\n\n").filter(|test| !test.contains("treatment = \"ask\"")).collect();
    assert!(kept.len() < text.split("\n\n").count(), "there were none");
    fs::write(tests, kept.join("\n\n")).unwrap();
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files_below(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}
