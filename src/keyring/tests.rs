//! The keyring on disk: who opens it, what a wrong file or key says, what destroyed means.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

const TODAY: Day = Day::from_number(20_000);

fn folders() -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let (keys, master) = (home.path().join("keys"), home.path().join("keys/master.key"));
    (home, keys, master)
}

fn words<T>(result: Result<T, KeyringError>) -> String {
    match result {
        Err(KeyringError::Source(words)) => words,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    }
}

/// A crash while the key file was written left an empty one, which every later start rejected.
#[test]
fn a_key_file_that_was_begun_is_made_again() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("master.key");
    std::fs::write(home.path().join("master.key.new"), "postern mas").unwrap();
    let made = MasterKey::make_file(&path).unwrap();
    let stretch = crate::keyring::master::Stretch::fresh();
    let read = MasterKey::read(&MasterSource::File(path.clone())).unwrap();
    assert_eq!(read.key(&stretch).unwrap().expose(), made.key(&stretch).unwrap().expose());
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    assert!(MasterKey::make_file(&path).is_err(), "a key is never replaced");
}

#[test]
fn keys_survive_reopening_and_days_do_not_survive_their_end() {
    let (_home, keys, master) = folders();
    let made = MasterKey::make_file(&master).unwrap();
    let ring = Keyring::create(&keys, &made, TODAY).unwrap();
    let key = DataKey::fresh();
    let today = ring.wrap(TODAY, KeyClass::Grant, &key, b"here").unwrap();
    let tomorrow = ring.wrap(TODAY.plus(1), KeyClass::Grant, &key, b"here").unwrap();
    let hash = ring.lookup("address", b"a@b.example");
    drop(ring);

    let read = MasterKey::read(&MasterSource::File(master)).unwrap();
    let ring = Keyring::open(&keys, &read, TODAY).unwrap();
    assert_eq!(ring.lookup("address", b"a@b.example"), hash);
    assert_ne!(ring.lookup("token", b"a@b.example"), hash);
    assert_eq!(ring.unwrap(&today, b"here").unwrap().expose(), key.expose());
    assert!(matches!(ring.unwrap(&today, b"there"), Err(KeyringError::Unsound)));
    assert_eq!(ring.destroy_before(TODAY.plus(1), TODAY.plus(1)).unwrap(), [TODAY]);
    for ring in [ring, Keyring::open(&keys, &read, TODAY).unwrap()] {
        assert!(matches!(ring.unwrap(&today, b"here"), Err(KeyringError::NoKeyFor(TODAY))));
        assert!(ring.unwrap(&tomorrow, b"here").is_ok());
        assert!(matches!(ring.wrap(TODAY, KeyClass::Transit, &key, b""), Err(KeyringError::NoKeyFor(_))));
    }
}

#[test]
fn a_punch_destroys_what_was_not_rewrapped() {
    let (_home, keys, master) = folders();
    let ring = Keyring::create(&keys, &MasterKey::make_file(&master).unwrap(), TODAY).unwrap();
    let key = DataKey::fresh();
    let (gone, kept) = (
        ring.wrap(TODAY, KeyClass::Grant, &key, b"gone").unwrap(),
        ring.wrap(TODAY, KeyClass::Grant, &key, b"kept").unwrap(),
    );
    ring.begin_punch(TODAY, KeyClass::Grant).unwrap();
    let kept = ring.wrap(TODAY, KeyClass::Grant, &ring.unwrap(&kept, b"kept").unwrap(), b"kept").unwrap();
    assert_eq!(kept.generation, 1);
    ring.finish_punch(TODAY, KeyClass::Grant).unwrap();
    assert!(ring.unwrap(&kept, b"kept").is_ok());
    assert!(matches!(ring.unwrap(&gone, b"gone"), Err(KeyringError::NoKeyFor(_))));
}

#[test]
fn every_wrong_file_is_named_with_its_remedy() {
    let (_home, keys, master) = folders();
    let made = MasterKey::make_file(&master).unwrap();
    assert!(words(MasterKey::make_file(&master)).contains("master.key"));
    assert!(words(Keyring::open(&keys, &made, TODAY)).contains("is not there; put it back"));
    Keyring::create(&keys, &made, TODAY).unwrap();
    assert!(words(Keyring::create(&keys, &made, TODAY)).contains("it is not replaced"));

    let other = MasterKey::make_file(&keys.join("other.key")).unwrap();
    assert!(words(Keyring::open(&keys, &other, TODAY)).contains("does not open with this master key"));

    let file = keys.join("keyring");
    let sound = fs::read(&file).unwrap();
    for at in [0, 20, 50, sound.len() - 1] {
        let mut flipped = sound.clone();
        flipped[at] ^= 4;
        fs::write(&file, flipped).unwrap();
        assert!(words(Keyring::open(&keys, &made, TODAY)).contains("damaged"), "octet {at}");
    }
    fs::write(&file, &sound).unwrap();
    for path in [&file, &master] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
    }
    let source = MasterSource::File(master.clone());
    assert!(words(MasterKey::read(&source)).ends_with(&format!("(mode 0640); run: chmod 600 {}", master.display())));
    assert!(words(Keyring::open(&keys, &made, TODAY)).contains("run: chmod 600"));
    fs::write(&master, "postern master key 1\nkey: short\n").unwrap();
    fs::set_permissions(&master, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(words(MasterKey::read(&source)).contains("does not hold a key"));
}

#[test]
fn a_key_comes_from_a_file_a_command_or_a_passphrase() {
    let (_home, keys, master) = folders();
    let ring = Keyring::create(&keys, &MasterKey::make_file(&master).unwrap(), TODAY).unwrap();
    let hash = ring.lookup("x", b"");
    let command = MasterKey::read(&MasterSource::Command(format!("cat {}", master.display()))).unwrap();
    assert_eq!(Keyring::open(&keys, &command, TODAY).unwrap().lookup("x", b""), hash);
    assert!(words(MasterKey::read(&MasterSource::Command("exit 3".into()))).contains("exit status: 3"));
    assert!(words(MasterKey::read(&MasterSource::Command("echo no".into()))).contains("printed no key"));
    assert!(words(MasterKey::read(&MasterSource::Env("POSTERN_NO_SUCH_KEY".into()))).contains("is not set"));

    let folder = keys.join("by-passphrase");
    let right = MasterKey::from_passphrase(Secret::new("correct horse".into()));
    Keyring::create(&folder, &right, TODAY).unwrap();
    assert!(Keyring::open(&folder, &right, TODAY).is_ok());
    let wrong = MasterKey::from_passphrase(Secret::new("correct horsf".into()));
    assert!(words(Keyring::open(&folder, &wrong, TODAY)).contains("does not open with this master key"));
}

#[test]
fn a_capsule_opens_in_its_place_until_its_day_ends() {
    let (_home, keys, master) = folders();
    let ring = Keyring::create(&keys, &MasterKey::make_file(&master).unwrap(), TODAY).unwrap();
    let capsule = Capsule::seal(&ring, TODAY, KeyClass::Contact, b"id", &"Jane Roe").unwrap();
    assert_eq!(capsule.open::<String>(&ring, b"id").unwrap(), "Jane Roe");
    assert!(matches!(capsule.open::<String>(&ring, b"other"), Err(KeyringError::Unsound)));
    ring.destroy_before(TODAY.plus(1), TODAY.plus(1)).unwrap();
    assert!(matches!(capsule.open::<String>(&ring, b"id"), Err(KeyringError::NoKeyFor(_))));
}

#[test]
fn the_vector_of_a_keyring_is_opened() {
    let (_home, keys, path) = folders();
    let mut vector = vectors::Vector::read("keyring");
    let key = vector.key("master_key", [0x42; 32]);
    fs::create_dir_all(&keys).unwrap();
    let text = format!("postern master key 1\nkey: {}\n", data_encoding::BASE64.encode(key.expose()));
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let master = MasterKey::read(&MasterSource::File(path)).unwrap();
    let last = TODAY.plus(DAYS_AHEAD);
    let file = vector.given("file", || {
        let ring = Keyring::create(&keys, &master, TODAY).unwrap();
        ring.destroy_before(last, last).unwrap();
        fs::read(keys.join("keyring")).unwrap()
    });
    fs::write(keys.join("keyring"), file).unwrap();
    fs::set_permissions(keys.join("keyring"), fs::Permissions::from_mode(0o600)).unwrap();
    let ring = Keyring::open(&keys, &master, TODAY).unwrap();
    vector.octets("derived_for_journal", ring.derive("journal").expose());
    vector.octets("lookup_address_a@b.example", &ring.lookup("address", b"a@b.example"));
    let wrapped =
        vector.given("wrapped_for_last_day", || ring.wrap(last, KeyClass::Transit, &key, b"context").unwrap().sealed);
    let wrapped = WrappedKey { day: last, class: KeyClass::Transit, generation: 0, sealed: wrapped };
    assert_eq!(ring.unwrap(&wrapped, b"context").unwrap().expose(), key.expose());
    vector.finish();
}
