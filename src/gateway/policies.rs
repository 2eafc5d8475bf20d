//! The policies in force: read from their folder, read again when a file changes, one snapshot for each transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use notify::{RecursiveMode, Watcher};
use tokio::sync::{Notify, watch};

use crate::event::Event;
use crate::fault::{Fault, Sources, render};
use crate::pack::Templates;
use crate::policy::{Logo, PolicySet, Practice, Role, SourceFile};
use crate::texts::Texts;

/// How long nothing must have changed before the folder is read again: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(300);
/// How often the folder is read where the system tells of no changes (network drives).
const POLL: Duration = Duration::from_secs(10);
/// The largest file that is taken for a policy or a template, in octets.
const LARGEST: u64 = 4 << 20;

/// Policies and templates that belong together.
#[derive(Debug)]
pub struct Snapshot {
    /// Rules, roles, practices.
    pub policy: PolicySet,
    /// What mails look like.
    pub templates: Templates,
    /// The sentences of pages.
    pub texts: Texts,
    /// By practice.
    logos: BTreeMap<String, Logo>,
}

impl Snapshot {
    /// A practice's logo, if it has one.
    pub fn logo(&self, practice: &Practice) -> Option<&Logo> {
        self.logos.get(&practice.id)
    }
}

/// What lies in the folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Folder {
    files: Vec<SourceFile>,
    /// Pictures in `practices/`, by file name.
    pictures: BTreeMap<String, Vec<u8>>,
}

/// What is wrong with the folder's files.
#[derive(Debug, Clone)]
pub struct Broken {
    /// All faults, of all files.
    pub faults: Vec<Fault>,
    /// The texts to show them in.
    pub sources: Sources,
}

/// As the admin reads it.
impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(&self.faults, &self.sources))
    }
}

impl std::error::Error for Broken {}

/// The policies in force.
#[derive(Debug)]
pub struct Policies {
    folder: PathBuf,
    current: ArcSwap<Snapshot>,
    broken: ArcSwapOption<Broken>,
    /// What was read last, sound or not, so that one state is told of once.
    last: Mutex<Folder>,
    /// Counts the snapshots.
    changes: watch::Sender<u64>,
}

impl Policies {
    /// Reads the folder. Blocking.
    ///
    /// # Errors
    /// Everything that is wrong in it; without sound policies there is no start.
    pub fn open(folder: &Path) -> Result<Self, Broken> {
        let read = Folder::read(folder)?;
        let snapshot = load(&read)?;
        log_loaded(&snapshot);
        Ok(Self {
            folder: folder.to_owned(),
            current: ArcSwap::from_pointee(snapshot),
            broken: ArcSwapOption::empty(),
            last: Mutex::new(read),
            changes: watch::Sender::new(0),
        })
    }

    /// What is in force now; stays as it is for who holds it.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// A number that changes when other policies come into force.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Why the files as they are now are not in force, if they are not.
    pub fn broken(&self) -> Option<Arc<Broken>> {
        self.broken.load_full()
    }

    /// Reads the folder again and puts it in force if it is sound; else everything stays, and the log says so once.
    /// Blocking.
    pub fn reload(&self) {
        let read = Folder::read(&self.folder);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = match read {
            Ok(files) if *last == files => return,
            Ok(files) => {
                let loaded = load(&files);
                *last = files;
                loaded
            }
            Err(broken) if last.files.is_empty() && self.broken().is_some() => {
                return self.broken.store(Some(Arc::new(broken)));
            }
            Err(broken) => {
                *last = Folder::default();
                Err(broken)
            }
        };
        match loaded {
            Ok(snapshot) => {
                log_loaded(&snapshot);
                self.current.store(Arc::new(snapshot));
                self.broken.store(None);
                self.changes.send_modify(|changes| *changes += 1);
            }
            Err(broken) => {
                Event::PolicyBroken { faults: broken.faults.len() }.log();
                self.broken.store(Some(Arc::new(broken)));
            }
        }
    }

    /// Reloads when a file changes, for as long as it is polled.
    pub async fn watch(self: Arc<Self>) {
        let changed = Arc::new(Notify::new());
        let watcher = self.watcher(Arc::clone(&changed));
        if watcher.is_none() {
            Event::Trouble {
                place: "policies",
                cause: "no notice of changed files; reading the folder every 10 s".into(),
            }
            .log();
        }
        loop {
            // A time-out is the poll, a notice the change.
            if tokio::time::timeout(POLL, changed.notified()).await.is_ok() {
                while tokio::time::timeout(QUIET, changed.notified()).await.is_ok() {}
            }
            let policies = Arc::clone(&self);
            if tokio::task::spawn_blocking(move || policies.reload()).await.is_err() {
                Event::Trouble { place: "policies", cause: "reading the folder failed".into() }.log();
            }
        }
    }

    fn watcher(&self, changed: Arc<Notify>) -> Option<notify::RecommendedWatcher> {
        let tell = move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                changed.notify_one();
            }
        };
        let mut watcher = notify::recommended_watcher(tell).ok()?;
        watcher.watch(&self.folder, RecursiveMode::Recursive).ok()?;
        Some(watcher)
    }
}

fn log_loaded(snapshot: &Snapshot) {
    let (rules, roles, practices) = snapshot.policy.counts();
    Event::PolicyLoaded { rules, roles, practices }.log();
}

fn load(folder: &Folder) -> Result<Snapshot, Broken> {
    let policy = PolicySet::load(&folder.files);
    let fields = policy.as_ref().ok().map(form_fields);
    match (policy, Templates::load(&folder.files), Texts::load(&folder.files, fields.as_ref())) {
        (Ok(policy), Ok(templates), Ok(texts)) => {
            let logos = logos(&policy, folder)?;
            Ok(Snapshot { policy, templates, texts, logos })
        }
        (policy, templates, texts) => {
            let mut broken = Broken { faults: Vec::new(), sources: Sources::new() };
            for (faults, sources) in policy.err().into_iter().chain(templates.err()).chain(texts.err()) {
                broken.faults.extend(faults);
                broken.sources.extend(sources);
            }
            Err(broken)
        }
    }
}

/// The fields of all forms: each needs a label in every language.
fn form_fields(policy: &PolicySet) -> BTreeSet<String> {
    let files = Role::ALL.into_iter().filter_map(|role| policy.role(role));
    files.flat_map(|file| file.fields.iter().map(|field| field.name.clone())).collect()
}

/// The logos that practices name; one that is missing, or is no picture, is the practice's file's fault.
fn logos(policy: &PolicySet, folder: &Folder) -> Result<BTreeMap<String, Logo>, Broken> {
    let mut logos = BTreeMap::new();
    let mut broken = Broken { faults: Vec::new(), sources: Sources::new() };
    for (practice, name, place) in policy.logos() {
        let (words, hint) = match folder.pictures.get(name) {
            Some(octets) => match Logo::new(name, octets.clone()) {
                Ok(logo) => {
                    logos.insert(practice.id.clone(), logo);
                    continue;
                }
                Err(fault) => fault,
            },
            None => (format!("there is no file \"{name}\""), "put the picture beside this file, in practices/"),
        };
        let source = folder.files.iter().find(|file| file.path == *place.file);
        broken.sources.extend(source.map(|file| (file.path.clone(), file.text.clone())));
        broken.faults.push(place.fault(words).hint(hint));
    }
    if broken.faults.is_empty() { Ok(logos) } else { Err(broken) }
}

impl Folder {
    fn read(folder: &Path) -> Result<Self, Broken> {
        Ok(Self { files: read_folder(folder)?, pictures: read_pictures(folder) })
    }
}

/// Pictures beside the practices' files. One that cannot be read is as good as missing, which a practice that names it says.
fn read_pictures(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder.join("practices")).into_iter().flatten().flatten();
    let pictures = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let picture = name.ends_with(".png") || name.ends_with(".svg");
        let small = entry.metadata().ok()?.len() <= LARGEST;
        (picture && small).then_some((name, std::fs::read(entry.path()).ok()?))
    });
    pictures.collect()
}

/// All files below the folder that may be policies or templates, in the order of their names. Blocking.
///
/// # Errors
/// A folder or file that cannot be read, is too large, or is no text, by name.
pub fn read_folder(folder: &Path) -> Result<Vec<SourceFile>, Broken> {
    let mut reading = Reading { folder, files: Vec::new(), faults: Vec::new() };
    if folder.is_dir() {
        reading.folder(folder, 0);
    } else {
        let hint = "copy the folder \"policies\" that came with postern there, or set policies in config.toml";
        reading.fault(folder, "there is no such folder").hint = Some(hint.into());
    }
    reading.files.sort_by(|a, b| a.name.cmp(&b.name));
    match reading.faults.is_empty() {
        true => Ok(reading.files),
        false => Err(Broken { faults: reading.faults, sources: Sources::new() }),
    }
}

struct Reading<'a> {
    folder: &'a Path,
    files: Vec<SourceFile>,
    faults: Vec<Fault>,
}

impl Reading<'_> {
    fn fault(&mut self, path: &Path, message: impl Into<String>) -> &mut Fault {
        self.faults.push(Fault::new(path.display().to_string(), 0..0, message));
        let last = self.faults.len() - 1;
        &mut self.faults[last]
    }

    fn folder(&mut self, at: &Path, depth: usize) {
        const DEEPEST: usize = 4;
        let entries = match std::fs::read_dir(at) {
            Ok(entries) => entries,
            Err(error) => {
                self.fault(at, format!("this folder cannot be read: {error}"));
                return;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if path.is_dir() && depth < DEEPEST && !hidden {
                self.folder(&path, depth + 1);
            } else if path.is_file() && !hidden {
                self.file(&path);
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let Some(name) = path.strip_prefix(self.folder).ok().and_then(Path::to_str) else {
            self.fault(path, "this file's name is no text");
            return;
        };
        let name = name.replace('\\', "/");
        let ours = name.contains(".toml") || name.ends_with("directory.csv") || name.starts_with("templates/");
        if !ours {
            return;
        }
        match read_text(path) {
            Ok(text) => self.files.push(SourceFile { path: path.display().to_string(), name, text }),
            Err(cause) => {
                self.fault(path, format!("this file cannot be read: {cause}"));
            }
        }
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let octets = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if octets > LARGEST {
        return Err("it is larger than 4 MiB".into());
    }
    let octets = std::fs::read(path).map_err(|error| error.to_string())?;
    // Notepad begins a file with a mark that is no part of the text.
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&octets);
    String::from_utf8(octets.to_vec()).map_err(|_| "it is not UTF-8 text; save it as UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped_copy() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        std::fs::create_dir_all(folder.path().join("practices")).unwrap();
        for (name, octets) in read_pictures(&shipped) {
            std::fs::write(folder.path().join("practices").join(name), octets).unwrap();
        }
        for file in read_folder(&shipped).unwrap() {
            let path = folder.path().join(&file.name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file.text).unwrap();
        }
        folder
    }

    #[test]
    fn a_broken_change_changes_nothing_until_it_is_mended() {
        let folder = shipped_copy();
        let policies = Policies::open(folder.path()).unwrap();
        let before = policies.snapshot().policy.counts();
        let added = folder.path().join("90-more.toml");
        std::fs::write(&added, "[[rule]]\nname = \"more\"\n[rule.set]\ntreatmnt = \"relay\"\n").unwrap();
        policies.reload();
        assert_eq!(policies.snapshot().policy.counts(), before);
        let words = policies.broken().unwrap().to_string();
        assert!(words.contains("90-more.toml:4:1") && words.contains("did you mean \"treatment\"?"), "{words}");
        std::fs::write(&added, "[[rule]]\nname = \"more\"\n[rule.set]\ntreatment = \"relay\"\n").unwrap();
        policies.reload();
        assert_eq!(policies.snapshot().policy.counts().0, before.0 + 1);
        assert!(policies.broken().is_none());
    }

    #[test]
    fn a_logo_is_read_with_its_practice_and_must_be_a_picture() {
        let folder = shipped_copy();
        let policies = Policies::open(folder.path()).unwrap();
        let snapshot = policies.snapshot();
        let practice = snapshot.policy.first_practice();
        assert_eq!(snapshot.logo(practice).map(|logo| logo.media_type), Some("image/svg+xml"));
        let picture = folder.path().join("practices").join(practice.logo.as_deref().unwrap());
        std::fs::write(&picture, "<svg><script>alert(1)</script></svg>").unwrap();
        policies.reload();
        let words = policies.broken().unwrap().to_string();
        assert!(words.contains("example-clinic.toml") && words.contains("script"), "{words}");
        std::fs::remove_file(&picture).unwrap();
        policies.reload();
        let words = policies.broken().unwrap().to_string();
        assert!(words.contains("there is no file") && words.contains("logo ="), "{words}");
        assert!(policies.snapshot().logo(practice).is_some());
    }

    #[test]
    fn a_folder_that_goes_away_changes_nothing() {
        let folder = shipped_copy();
        let policies = Policies::open(folder.path()).unwrap();
        let before = policies.snapshot().policy.counts();
        drop(folder);
        policies.reload();
        assert_eq!(policies.snapshot().policy.counts(), before);
        assert!(policies.broken().unwrap().to_string().contains("there is no such folder"));
    }

    #[tokio::test]
    async fn a_change_is_noticed() {
        let folder = shipped_copy();
        let policies = Arc::new(Policies::open(folder.path()).unwrap());
        let before = policies.snapshot().policy.counts().0;
        let watching = tokio::spawn(Arc::clone(&policies).watch());
        let added = folder.path().join("90-more.toml");
        let noticed = async {
            let mut number = 0;
            while policies.snapshot().policy.counts().0 == before {
                // Written again until it is seen: the watch may begin after the first time.
                number += 1;
                let text = format!("[[rule]]\nname = \"more {number}\"\n[rule.set]\ntreatment = \"secure\"\n");
                std::fs::write(&added, text).unwrap();
                tokio::time::sleep(Duration::from_millis(700)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), noticed).await.unwrap();
        watching.abort();
    }

    #[test]
    fn what_is_no_text_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("10.toml"), b"\xff\xfe").unwrap();
        std::fs::write(folder.path().join("20.toml"), b"\xef\xbb\xbfrule = []").unwrap();
        let words = read_folder(folder.path()).unwrap_err().to_string();
        assert!(
            words.contains("10.toml") && words.contains("save it as UTF-8") && !words.contains("20.toml"),
            "{words}"
        );
    }
}
