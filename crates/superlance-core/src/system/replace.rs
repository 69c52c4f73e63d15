//! Files that other programs may read while they are replaced.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Replaces the file at `path` by one with this text; a reader has the old text or the new one,
/// whole. It lies beside its predecessor until it is complete, under a name that begins with a dot, so
/// that a collector of `*.prom` does not take it.
///
/// # Errors
/// When it cannot be written. Then the old one is as it was.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not the name of a file"));
    };
    let beside = format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id());
    let beside = path.with_file_name(beside);
    // A predecessor with our pid may have been killed in here. It is new, so no link leads elsewhere.
    let _ = fs::remove_file(&beside);
    let in_the_way = |error: io::Error| {
        io::Error::new(error.kind(), format!("{error}: remove {}", beside.display()))
    };
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&beside)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => in_the_way(error),
            _ => error,
        })
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        for text in ["first, and longer", "second"] {
            replace(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("status.json"), folder.path().join("target"));
        let beside = format!(".status.json.{}.tmp", std::process::id());
        fs::write(&target, "theirs").unwrap();
        for link in [&path, &folder.path().join(beside)] {
            std::os::unix::fs::symlink(&target, link).unwrap();
        }
        replace(&path, "ours").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "theirs");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        fs::create_dir(&path).unwrap();
        assert!(replace(&path, "x").is_err());
        assert!(replace(&folder.path().join("no/such/folder"), "x").is_err());
        assert!(replace(Path::new("/"), "x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // What cannot be removed is named.
        let beside = folder.path().join(format!(".status.json.{}.tmp", std::process::id()));
        fs::create_dir(&beside).unwrap();
        let error = replace(&folder.path().join("status.json"), "x").unwrap_err().to_string();
        assert!(
            error.ends_with(&format!("exists (os error 17): remove {}", beside.display())),
            "{error}"
        );
        fs::remove_dir(&beside).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
