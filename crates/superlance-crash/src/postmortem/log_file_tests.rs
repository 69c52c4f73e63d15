//! Log files, and what a program may put into their place.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::unistd::{geteuid, mkfifo};
use tempfile::TempDir;

use super::*;

/// A directory with `log` in it, which belongs to this user.
fn directory() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let log = directory.path().canonicalize().unwrap().join("log");
    fs::write(&log, "first\ncafé\n").unwrap();
    (directory, log)
}

fn read(path: &Path, bytes: u32) -> Result<(String, bool), String> {
    let log = read_end(path, bytes, geteuid().as_raw()).map_err(|error| error.to_string())?;
    Ok((log.text, log.cut))
}

#[test]
fn the_end_of_a_log_is_read() {
    let (directory, log) = directory();
    assert_eq!(read(&log, 100), Ok(("first\ncafé\n".to_owned(), false)));
    assert_eq!(read(&log, 6), Ok(("café\n".to_owned(), true)));
    assert_eq!(read(&log, 2), Ok(("\u{fffd}\n".to_owned(), true)));
    let none = Ok((String::new(), false));
    assert_eq!(read(&directory.path().join("missing"), 100), none, "supervisord has not begun it");
}

#[test]
fn without_the_right_to_read_another_way_is_named() {
    let (_directory, log) = directory();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o000)).unwrap();
    // root may read it all the same.
    if let Err(reason) = File::open(&log) {
        assert_eq!(reason.kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(read(&log, 100), Err(NotRead::Denied.to_string()));
    }
    let reason = NotRead::from(Errno::EACCES).to_string();
    assert!(reason.ends_with("; --tail-by-rpc lets supervisord read it"), "{reason}");
}

#[test]
fn a_fifo_is_not_waited_for() {
    let (_directory, log) = directory();
    fs::remove_file(&log).unwrap();
    mkfifo(&log, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    let start = Instant::now();
    assert_eq!(read(&log, 100), Err("it is not a regular file".to_owned()));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_link_in_the_place_of_a_log_is_not_followed() {
    let (directory, log) = directory();
    let link = directory.path().join("link");
    symlink(&log, &link).unwrap();
    let refused = "there is a link on the way that the program may have made";
    assert_eq!(read(&link, 100), Err(refused.to_owned()));
}

#[test]
fn a_link_on_the_way_is_followed_only_where_the_program_cannot_have_made_it() {
    let (directory, log) = directory();
    let way = directory.path().canonicalize().unwrap().join("way");
    symlink(log.parent().unwrap(), &way).unwrap();
    assert_eq!(read(&way.join("log"), 100), Ok(("first\ncafé\n".to_owned(), false)));
    // Other users than root and this one can write into it.
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let refused = "there is a link on the way that the program may have made";
    assert_eq!(read(&way.join("log"), 100), Err(refused.to_owned()));
    assert_eq!(read(&log, 100), Ok(("first\ncafé\n".to_owned(), false)), "no link on this way");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    symlink("circle", directory.path().join("circle")).unwrap();
    assert_eq!(read(&directory.path().join("circle/log"), 100), Err(refused.to_owned()));
}

#[test]
fn a_second_name_of_a_file_is_no_log() {
    let (directory, log) = directory();
    fs::hard_link(&log, directory.path().join("second")).unwrap();
    let refused = "it has 2 names, so it may be another file";
    assert_eq!(read(&log, 100), Err(refused.to_owned()));
}

#[test]
fn a_file_of_another_user_is_no_log() {
    let (_directory, log) = directory();
    let own = geteuid().as_raw();
    let refused = read_end(&log, 100, own + 1).unwrap_err().to_string();
    assert_eq!(
        refused,
        format!("it belongs to the user {own}, and supervisord runs as {}", own + 1)
    );
}

#[test]
fn only_files_are_read() {
    let (directory, log) = directory();
    assert_eq!(read(directory.path(), 100), Err("it is not a regular file".to_owned()));
    assert_eq!(read(Path::new("log"), 100), Err("it is not an absolute path".to_owned()));
    let below = read(&log.join("x"), 100).unwrap_err();
    assert!(below.contains("Not a directory"), "{below}");
}
