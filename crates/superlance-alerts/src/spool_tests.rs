//! What survives in a spool, and what it refuses.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn alert(id: &str) -> Alert {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let alert = Alert::new("test", "exited", at, format!("subject of {id}"), "text".to_owned());
    Alert { id: id.to_owned(), ..alert.about("g", "p", Some(5)).attach("Log", "wörds\n") }
}

/// A folder with a spool directory, and what is in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self) -> Opened {
        Spool::open(self.0.path(), "test").unwrap()
    }

    fn fails(&self) -> String {
        Spool::open(self.0.path(), "test").unwrap_err().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        // Not `join`, which would end the directory's own path with a slash.
        self.0.path().join(format!("test/{name}").trim_end_matches('/'))
    }

    /// Ids and keys of what an earlier listener left.
    fn backlog(&self) -> Vec<(String, Vec<String>)> {
        let Opened { backlog, strange, .. } = self.open();
        assert_eq!(strange, Vec::<String>::new());
        let parts = |stored: Stored| (stored.alert.id, stored.accepted.into_iter().collect());
        backlog.into_iter().map(parts).collect()
    }
}

#[test]
fn an_alert_is_kept_until_everyone_has_it() {
    let place = Place::new();
    let mut spool = place.open().spool;
    for id in ["c", "a", "b"] {
        assert!(spool.put(&alert(id)).unwrap());
    }
    assert!(!spool.put(&alert("a")).unwrap(), "its event came again");
    spool.accept(&alert("a"), "you").unwrap();
    spool.accept(&alert("a"), "me").unwrap();
    spool.accept(&alert("unknown"), "me").unwrap();
    spool.remove("c").unwrap();
    spool.remove("unknown").unwrap();
    drop(spool);
    let mut opened = place.open();
    let accepted = ["me", "you"].map(str::to_owned).into();
    let first = Stored { alert: alert("a"), accepted };
    let second = Stored { alert: alert("b"), accepted: BTreeSet::new() };
    assert_eq!(opened.backlog, [first, second]);
    assert!(!opened.spool.put(&alert("b")).unwrap());
    opened.spool.put(&alert("d")).unwrap();
    for id in ["a", "b"] {
        opened.spool.remove(id).unwrap();
    }
    drop(opened);
    assert_eq!(place.backlog(), [("d".to_owned(), vec![])]);
    assert_eq!(fs::read_dir(place.path("")).unwrap().count(), 2, "the alert and the lock");
}

#[test]
fn nobody_else_can_look_into_it() {
    let place = Place::new();
    fs::create_dir(place.path("")).unwrap();
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o777)).unwrap();
    let mut spool = place.open().spool;
    spool.put(&alert("a")).unwrap();
    spool.journal::<String>("lines").unwrap().journal.append(&"x").unwrap();
    let mode = |name| fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for name in ["000000000000.json", "lines.journal", "lock"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
}

#[test]
fn two_never_share_it() {
    let place = Place::new();
    let first = place.open();
    let error = place.fails();
    assert!(error.ends_with("/test is in use by another process"), "{error}");
    assert!(Spool::open(place.0.path(), "other").is_ok());
    drop(first);
    place.open();
}

#[test]
fn listeners_have_directories_of_their_own_whatever_they_are_called() {
    let names = ["a:b", "a/b", "../a", ".", "..", "", "a b", "%2F", "/", "é", "A:b"];
    let long = ["x", "y"].map(|end| "n".repeat(300) + end);
    let names = names.into_iter().chain(long.iter().map(String::as_str));
    let safe: Vec<_> = names.map(file_name).collect();
    assert_eq!(safe[..4], ["a:b", "a%2Fb", "%2E.%2Fa", "%2E"]);
    for name in &safe {
        assert!(name.is_ascii() && !name.contains('/') && !name.starts_with('.'), "{name}");
        assert!((1..=200).contains(&name.len()), "{name}");
    }
    assert_eq!(safe.iter().collect::<BTreeSet<_>>().len(), safe.len());
}

#[test]
fn whatever_byte_was_the_last_nothing_dies_and_the_others_are_there() {
    let place = Place::new();
    let mut spool = place.open().spool;
    ["a", "b", "c"].iter().for_each(|id| assert!(spool.put(&alert(id)).unwrap()));
    drop(spool);
    let file = place.path("000000000001.json");
    let whole = fs::read(&file).unwrap();
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        let Opened { mut spool, backlog, strange } = place.open();
        let ids: Vec<_> = backlog.iter().map(|stored| stored.alert.id.as_str()).collect();
        assert_eq!((ids, strange.len()), (vec!["a", "c"], 1));
        assert!(
            strange[0].contains("000000000001.json is no alert, and left alone"),
            "{strange:?}"
        );
        if length % 50 == 0 {
            spool.put(&alert("d")).unwrap();
            spool.remove("d").unwrap();
        }
        assert_eq!(fs::read(&file).unwrap(), &whole[..length]);
    }
    // A file is written under another name first; that is all that a kill can leave.
    fs::rename(&file, place.path("000000000001.json.new")).unwrap();
    assert_eq!(place.backlog().len(), 2);
    assert!(!place.path("000000000001.json.new").exists());
}

#[test]
fn what_is_not_ours_is_named_and_left_alone() {
    let place = Place::new();
    let mut spool = place.open().spool;
    spool.put(&alert("a")).unwrap();
    drop(spool);
    fs::copy(place.path("000000000000.json"), place.path("000000000003.json")).unwrap();
    for name in ["notes.txt", "1.json", "x.new", "000000000001.json.old"] {
        fs::write(place.path(name), "mine").unwrap();
    }
    fs::create_dir(place.path("000000000005.json")).unwrap();
    nix::unistd::mkfifo(&place.path("000000000006.json"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let Opened { mut spool, backlog, strange } = place.open();
    assert_eq!((backlog.len(), strange.len()), (1, 7), "{strange:#?}");
    assert!(strange.iter().any(|text| text.ends_with("its id \"a\" is that of another one")));
    spool.put(&alert("b")).unwrap();
    assert!(place.path("000000000007.json").exists());
}

#[test]
fn links_are_not_followed() {
    let place = Place::new();
    let mut spool = place.open().spool;
    spool.put(&alert("a")).unwrap();
    let victim = place.0.path().join("victim");
    fs::rename(place.path("000000000000.json"), &victim).unwrap();
    let before = fs::read(&victim).unwrap();
    for name in ["000000000000.json", "000000000001.json", "000000000001.json.new"] {
        symlink(&victim, place.path(name)).unwrap();
    }
    spool.put(&alert("b")).unwrap();
    spool.accept(&alert("a"), "me").unwrap();
    assert_eq!(fs::read(&victim).unwrap(), before);
    drop(spool);
    assert_eq!(place.backlog().len(), 2);
    fs::remove_file(place.path("000000000001.json")).unwrap();
    symlink(&victim, place.path("000000000001.json")).unwrap();
    assert_eq!(place.open().strange.len(), 1);

    fs::rename(place.path(""), place.0.path().join("moved")).unwrap();
    symlink(place.0.path().join("moved"), place.path("")).unwrap();
    let error = place.fails();
    assert!(error.contains("is not a directory of the user"), "{error}");
}

#[test]
fn a_lock_that_is_a_link_is_an_error() {
    let place = Place::new();
    drop(place.open());
    fs::remove_file(place.path("lock")).unwrap();
    symlink("/dev/null", place.path("lock")).unwrap();
    let error = place.fails();
    assert!(error.starts_with("cannot lock "), "{error}");
}

#[test]
fn what_cannot_be_opened_says_why() {
    let place = Place::new();
    let file = place.0.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Spool::open(&file.join("below"), "test").unwrap_err().to_string();
    let expected = format!(
        "cannot create the parent of {}: Not a directory (os error 20)",
        file.join("below/test").display()
    );
    assert_eq!(error, expected);
    // Nobody can create anything there, root included.
    let error = Spool::open(Path::new("/proc"), "test").unwrap_err().to_string();
    assert!(error.starts_with("cannot create /proc/test: "), "{error}");
}

#[test]
fn there_is_an_end_to_what_is_kept() {
    let place = Place::new();
    let mut spool = place.open().spool;
    spool.limits = Limits { alerts: 2, bytes: 10_000 };
    let large = Alert { text: "x".repeat(6_000), ..alert("large") };
    let larger = Alert { id: "another".to_owned(), ..large.clone() };
    spool.put(&large).unwrap();
    let error = spool.put(&larger).unwrap_err().to_string();
    assert!(error.ends_with("/test is full: no more than 10000 alerts or 64 MiB are kept there"));
    assert_eq!((LIMITS.alerts, LIMITS.bytes), (10_000, 64 << 20));
    spool.put(&alert("small")).unwrap();
    spool.put(&alert("smaller")).unwrap_err();
    spool.accept(&alert("small"), "me").unwrap();
    spool.remove("large").unwrap();
    spool.put(&larger).unwrap();
    drop(spool);
    assert_eq!(place.backlog().len(), 2);
}

/// The disk is full: a limit for the size of files ends writes as that does, in the middle. It is a
/// limit of a process, so the test runs itself once more in one of its own.
#[test]
fn a_full_disk_is_an_error_that_leaves_nothing_half_written() {
    const CHILD: &str = "SUPERLANCE_TEST_FULL_DISK";
    if let Ok(parent) = std::env::var(CHILD) {
        return on_a_full_disk(Path::new(&parent));
    }
    let place = Place::new();
    let name = "spool::tests::a_full_disk_is_an_error_that_leaves_nothing_half_written";
    // Eight blocks of 512 or 1024 bytes, as the shell has it.
    let child = Command::new("/bin/sh")
        .args(["-c", "ulimit -f 8; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, place.0.path())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(child.status.success() && output.contains("1 passed"), "{child:?}");
    assert_eq!(place.backlog(), [("a".to_owned(), vec![]), ("c".to_owned(), vec![])]);
    let Opened { spool, .. } = place.open();
    let kept = spool.journal::<String>("lines").unwrap();
    assert_eq!((kept.records, kept.strange), (vec!["one".into(), "two".into()], None));
}

fn on_a_full_disk(parent: &Path) {
    // Without this the limit is deadly.
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default()).unwrap();
    let mut spool = Spool::open(parent, "test").unwrap().spool;
    let huge = "x".repeat(100_000);
    spool.put(&alert("a")).unwrap();
    let too_large = Alert { text: huge.clone(), ..alert("b") };
    for _ in 0..2 {
        let error = spool.put(&too_large).unwrap_err().to_string();
        let end = "/test: File too large (os error 27)";
        assert!(error.starts_with("cannot write into ") && error.ends_with(end), "{error}");
    }
    let larger = Alert { text: huge.clone(), ..alert("a") };
    spool.accept(&larger, "me").unwrap_err();
    spool.put(&alert("c")).unwrap();
    let mut journal = spool.journal::<String>("lines").unwrap().journal;
    journal.append(&"one").unwrap();
    assert!(!journal.needs_rewriting());
    journal.append(&huge).unwrap_err();
    journal.append(&"two").unwrap();
    assert!(journal.needs_rewriting(), "it lacks a line");
    journal.rewrite([&huge]).unwrap_err();
}

#[test]
fn keys_are_the_same_in_every_version_and_show_nothing() {
    assert_eq!(key(""), "cbf29ce484222325");
    assert_eq!(key("foobar"), "85944171f73967e8");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is found there, it is an alert or named and left alone.
    #[test]
    fn no_content_of_a_file_stops_anything(content: Vec<u8>, almost in any::<[u8; 3]>(), at: usize) {
        let place = Place::new();
        let mut spool = place.open().spool;
        spool.put(&alert("a")).unwrap();
        let mut journal = spool.journal::<String>("lines").unwrap().journal;
        journal.append(&"line").unwrap();
        drop((spool, journal));
        // A file with bytes that somebody changed, and one of which nothing is right.
        let mut changed = fs::read(place.path("000000000000.json")).unwrap();
        let at = at % (changed.len() - almost.len());
        changed[at..at + almost.len()].copy_from_slice(&almost);
        fs::write(place.path("000000000000.json"), &changed).unwrap();
        fs::write(place.path("000000000001.json"), &content).unwrap();
        fs::write(place.path("lines.journal"), [&b"\"line\"\n"[..], &content].concat()).unwrap();
        let Opened { mut spool, backlog, strange } = place.open();
        prop_assert_eq!(backlog.len() + strange.len(), 2);
        let kept = spool.journal::<String>("lines").unwrap();
        prop_assert_eq!(kept.records.first().map(String::as_str), Some("line"));
        prop_assert!(spool.put(&alert("b")).unwrap());
        prop_assert_eq!(fs::read(place.path("000000000001.json")).unwrap(), content);
    }
}
