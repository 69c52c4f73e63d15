//! A secret text: it has no `Display`, and `Debug` does not show it.

use std::path::Path;
use std::{fmt, fs};

/// A password, a token, or a URL that contains one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The first line of a file.
    ///
    /// # Errors
    /// When it cannot be read, or is empty.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        match text.lines().next().filter(|line| !line.is_empty()) {
            Some(line) => Ok(line.into()),
            None => Err("its first line is empty".to_owned()),
        }
    }

    /// The text, for its use.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_shown() {
        let secret = Secret::from("hunter2");
        assert_eq!(format!("{secret:?} {:?}", Some(("bob", &secret))), "*** Some((\"bob\", ***))");
        assert_eq!(secret.expose(), "hunter2");
    }
}
