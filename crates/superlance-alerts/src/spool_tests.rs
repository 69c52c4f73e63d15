//! What survives in a spool, and what it refuses.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use superlance_core::testing::Recorder;

fn alert(id: &str) -> Arc<Alert> {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let alert = Alert::new("test", "exited", at, format!("subject of {id}"), "text".to_owned());
    Arc::new(Alert {
        id: id.to_owned(), ..alert.about("g", "p", Some(5)).attach("Log", "wörds\n")
    })
}

fn keys(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

/// A folder for spools, and a log.
struct Place {
    folder: TempDir,
    recorder: Recorder,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), recorder: Recorder::default() }
    }

    fn spool(&self, name: &str) -> Spool {
        let log = Arc::new(Log::new(self.recorder.clone()));
        Spool::new(self.folder.path().to_owned(), name, log)
    }

    fn open(&self) -> (Spool, Vec<Stored>) {
        let spool = self.spool("test");
        let backlog = spool.open().unwrap();
        (spool, backlog)
    }

    fn path(&self, name: &str) -> PathBuf {
        // Not `join`, which would end the directory's own path with a slash.
        self.folder.path().join(format!("test/{name}").trim_end_matches('/'))
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.path("")).unwrap();
        let names = names.map(|name| name.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "lock").collect()
    }

    /// The names of the files that hold anything.
    fn kept(&self) -> Vec<String> {
        let mut names = self.names();
        names.retain(|name| fs::metadata(self.path(name)).unwrap().len() > 0);
        names
    }

    /// Ids and keys of what an earlier listener left.
    fn backlog(&self) -> Vec<(String, BTreeSet<String>)> {
        let parts = |stored: Stored| (stored.alert.id.clone(), stored.accepted);
        self.open().1.into_iter().map(parts).collect()
    }
}

#[test]
fn an_alert_is_kept_until_everyone_has_it() {
    let place = Place::new();
    let (spool, _) = place.open();
    for id in ["c", "a", "b"] {
        assert!(spool.put(&alert(id), keys(&["me", "you", "they"])));
        assert!(spool.keeps(&alert(id)));
    }
    assert!(!spool.put(&alert("a"), keys(&["me"])), "its event came again");
    spool.settle(&alert("a"), "you");
    spool.settle(&alert("a"), "me");
    spool.settle(&alert("unknown"), "me");
    ["me", "you", "they"].iter().for_each(|key| spool.settle(&alert("c"), key));
    assert!(!spool.keeps(&alert("c")));
    drop(spool);
    let (spool, backlog) = place.open();
    let first = Stored { alert: alert("a"), accepted: keys(&["me", "you"]) };
    let second = Stored { alert: alert("b"), accepted: keys(&[]) };
    assert_eq!(backlog, [first, second]);
    for id in ["a", "b", "c"] {
        assert!(!spool.put(&alert(id), keys(&["me"])), "the event of {id} is handled again");
    }
    assert!(spool.put(&alert("d"), keys(&["me"])));
    spool.expect(&alert("a"), keys(&["they"]));
    spool.settle(&alert("a"), "they");
    spool.expect(&alert("b"), keys(&[]));
    drop(spool);
    assert_eq!(place.backlog(), [("d".to_owned(), keys(&[]))]);
    let (spool, _) = place.open();
    spool.expect(&alert("d"), keys(&["me"]));
    spool.settle(&alert("d"), "me");
    assert_eq!((place.kept(), place.recorder.text().as_str()), (vec![], ""));
}

#[test]
fn no_other_user_can_look_into_it() {
    let place = Place::new();
    fs::create_dir(place.path("")).unwrap();
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o777)).unwrap();
    let (spool, _) = place.open();
    spool.put(&alert("a"), keys(&["me"]));
    spool.journal::<String>("lines", "lines").0.add(&"x");
    let mode = |name| fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for name in ["alerts.journal", "lines.journal", "lock"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
}

#[test]
fn two_never_share_it() {
    let place = Place::new();
    let first = place.open();
    let second = place.spool("test");
    assert_eq!((second.open(), second.open()), (None, None));
    let log = place.recorder.text();
    assert!(log.ends_with("/test is in use by another process\n"), "{log}");
    assert_eq!(log.lines().count(), 1);
    assert!(place.spool("other").open().is_some());
    // What came meanwhile is kept as soon as that is possible.
    assert!(second.put(&alert("a"), keys(&["me"])) && !second.keeps(&alert("a")));
    drop(first);
    assert_eq!(second.open(), Some(Vec::new()));
    assert!(second.keeps(&alert("a")));
    assert!(place.recorder.text().ends_with("process\nalerts are kept on disk again\n"));
    drop(second);
    assert_eq!(place.backlog(), [("a".to_owned(), keys(&[]))]);
}

#[test]
fn listeners_have_directories_of_their_own_whatever_they_are_called() {
    let names = ["a:b", "a/b", "../a", ".", "..", "", "a b", "%2F", "/", "é", "A:b", "a:b@/x.sock"];
    let long = ["x", "y"].map(|end| "n".repeat(300) + end);
    let names = names.into_iter().chain(long.iter().map(String::as_str));
    let safe: Vec<_> = names.map(file_name).collect();
    assert_eq!(safe[..4], ["a:b", "a%2Fb", "%2E.%2Fa", "%2E"]);
    assert_eq!(safe[11], "a:b@%2Fx.sock");
    for name in &safe {
        assert!(name.is_ascii() && !name.contains('/') && !name.starts_with('.'), "{name}");
        assert!((1..=200).contains(&name.len()), "{name}");
    }
    assert_eq!(safe.iter().collect::<BTreeSet<_>>().len(), safe.len());
}

#[test]
fn what_is_not_ours_is_named_and_left_alone() {
    let place = Place::new();
    place.open().0.put(&alert("a"), keys(&["me"]));
    for name in ["notes.txt", "x.new"] {
        fs::write(place.path(name), "mine").unwrap();
    }
    fs::create_dir(place.path("folder")).unwrap();
    fs::write(place.path("alerts.journal.new"), "half").unwrap();
    assert_eq!(place.backlog().len(), 1);
    let log = place.recorder.text();
    assert_eq!(log.matches(" is not a file of ours, and left alone\n").count(), 3, "{log}");
    let mut names = place.names();
    names.sort();
    assert_eq!(names, ["alerts.journal", "folder", "notes.txt", "x.new"]);
}

#[test]
fn links_are_not_followed() {
    let place = Place::new();
    place.open().0.put(&alert("a"), keys(&["me"]));
    let victim = place.folder.path().join("victim");
    fs::rename(place.path("alerts.journal"), &victim).unwrap();
    let before = fs::read(&victim).unwrap();
    symlink(&victim, place.path("alerts.journal")).unwrap();
    symlink(&victim, place.path("alerts.journal.new")).unwrap();
    let (spool, backlog) = place.open();
    assert_eq!(backlog, []);
    spool.put(&alert("b"), keys(&["me"]));
    drop(spool);
    assert_eq!((place.backlog().len(), fs::read(&victim).unwrap()), (1, before));

    fs::rename(place.path(""), place.folder.path().join("moved")).unwrap();
    symlink(place.folder.path().join("moved"), place.path("")).unwrap();
    assert_eq!(place.spool("test").open(), None);
    let log = place.recorder.text();
    assert!(log.contains("is not a directory of the user"), "{log}");
}

#[test]
fn a_lock_that_is_a_link_is_an_error() {
    let place = Place::new();
    drop(place.open());
    fs::remove_file(place.path("lock")).unwrap();
    symlink("/dev/null", place.path("lock")).unwrap();
    assert_eq!(place.spool("test").open(), None);
    let log = place.recorder.text();
    assert!(log.starts_with("alerts are not kept on disk: cannot lock "), "{log}");
}

#[test]
fn what_cannot_be_opened_says_why() {
    let place = Place::new();
    let file = place.folder.path().join("file");
    fs::write(&file, "").unwrap();
    // No user can create anything below /proc, not even root.
    for parent in [file.join("below"), PathBuf::from("/proc")] {
        let log = Arc::new(Log::new(place.recorder.clone()));
        assert_eq!(Spool::new(parent, "test", log).open(), None);
    }
    let expected = format!(
        "alerts are not kept on disk: cannot create the parent of {}: Not a directory (os error 20)\n\
         alerts are not kept on disk: cannot create /proc/test: ",
        file.join("below/test").display()
    );
    let log = place.recorder.text();
    assert!(log.starts_with(&expected), "{log}");
}

#[test]
fn there_is_an_end_to_what_is_kept_and_what_found_no_room_is_kept_later() {
    assert_eq!((LIMITS.alerts, LIMITS.bytes), (10_000, 64 << 20));
    let place = Place::new();
    let mut spool = place.spool("test");
    spool.limits = Limits { alerts: 2, bytes: 10_000 };
    spool.open().unwrap();
    let large = |id: &str| {
        let small = Arc::unwrap_or_clone(alert(id));
        Arc::new(Alert { text: "x".repeat(6_000), ..small })
    };
    for alert in [large("1"), large("2"), alert("3"), alert("4")] {
        assert!(spool.put(&alert, keys(&["me"])));
    }
    let kept = |spool: &Spool| ["1", "2", "3", "4"].map(|id| spool.keeps(&alert(id)));
    assert_eq!(kept(&spool), [true, false, false, false], "the oldest first");
    let full = "/test is full: no more than 10000 alerts or 64 MiB are kept there\n";
    let log = place.recorder.text();
    assert!(log.ends_with(full) && log.lines().count() == 1, "{log}");
    spool.settle(&alert("1"), "me");
    assert_eq!(kept(&spool), [false, true, true, false]);
    assert!(!place.recorder.text().contains("again"), "one is not kept");
    spool.settle(&alert("2"), "me");
    assert_eq!(kept(&spool), [false, false, true, true]);
    assert!(place.recorder.text().ends_with("there\nalerts are kept on disk again\n"));
    drop(spool);
    assert_eq!(place.backlog().len(), 2);
}

#[test]
fn keys_are_the_same_in_every_version_and_show_nothing() {
    assert_eq!(key(""), "cbf29ce484222325");
    assert_eq!(key("foobar"), "85944171f73967e8");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any bytes found there become a record, or are put aside.
    #[test]
    fn no_content_of_a_file_stops_anything(content: Vec<u8>, almost in any::<[u8; 3]>(), at: usize) {
        let place = Place::new();
        place.open().0.put(&alert("a"), keys(&["me"]));
        let first = fs::read(place.path("alerts.journal")).unwrap();
        // A correct line, one with changed bytes, and random bytes.
        let mut changed = first.clone();
        let at = at % (changed.len() - almost.len());
        changed[at..at + almost.len()].copy_from_slice(&almost);
        let whole = [&first[..], &changed, &content].concat();
        fs::write(place.path("alerts.journal"), whole).unwrap();
        let (spool, backlog) = place.open();
        prop_assert_eq!(&backlog[0].alert, &alert("a"));
        prop_assert!(spool.put(&alert("new"), keys(&["me"])));
        drop(spool);
        prop_assert_eq!(place.backlog().len(), backlog.len() + 1);
    }
}
