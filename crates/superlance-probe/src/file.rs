//! A file that a service writes again and again.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use superlance_core::options::units::duration_text;

use crate::outcome::{Class, Failed, Verdict};

/// A file that must not be older than that.
#[derive(Debug, Clone)]
pub(crate) struct Freshness {
    pub(crate) path: PathBuf,
    /// The URL for messages.
    pub(crate) shown: String,
    pub(crate) max_age: Duration,
}

impl Freshness {
    /// The verdict, and what should be known about it.
    pub(crate) fn check(&self) -> (Verdict, Option<String>) {
        let written = match fs::metadata(&self.path).and_then(|file| file.modified()) {
            Ok(written) => written,
            Err(error) => return (self.failed(&error.to_string()), None),
        };
        match SystemTime::now().duration_since(written) {
            Ok(age) if age > self.max_age => {
                let (age, max) = (duration_text(age), duration_text(self.max_age));
                (self.failed(&format!("it was last written {age} ago; --max-age is {max}")), None)
            }
            Ok(_) => (Verdict::Good, None),
            // A clock that is wrong is no fault of the service.
            Err(_) => {
                let note = "it was last written in the future, so that its age is not known";
                (Verdict::Good, Some(format!("{}: {note}", self.shown)))
            }
        }
    }

    fn failed(&self, why: &str) -> Verdict {
        let text = format!("error checking {}:\n\n {why}", self.shown);
        Verdict::Failed(Failed::new(Class::Status, text))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use superlance_testing::Scratch;

    use super::*;

    #[test]
    fn a_file_is_good_while_it_is_young() {
        let scratch = Scratch::new();
        let path = scratch.join("beat");
        let shown = "file:///beat".to_owned();
        let freshness = Freshness { path, shown, max_age: Duration::from_secs(60) };
        let failed = |why: &str| {
            let text = format!("error checking file:///beat:\n\n {why}");
            (Verdict::Failed(Failed::new(Class::Status, text)), None)
        };
        assert_eq!(freshness.check(), failed("No such file or directory (os error 2)"));
        scratch.write("beat", "");
        assert_eq!(freshness.check(), (Verdict::Good, None));
        let file = File::options().write(true).open(&freshness.path).unwrap();
        let now = SystemTime::now();
        file.set_modified(now - Duration::from_millis(3_605_500)).unwrap();
        assert_eq!(freshness.check(), failed("it was last written 1h5s ago; --max-age is 1m"));
        file.set_modified(now + Duration::from_millis(7_200_500)).unwrap();
        let (verdict, note) = freshness.check();
        assert_eq!(verdict, Verdict::Good);
        let expected =
            "file:///beat: it was last written in the future, so that its age is not known";
        assert_eq!(note.as_deref(), Some(expected));
    }
}
