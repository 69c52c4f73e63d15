//! Values that stand on the command line, in the environment or in a file.

use std::fs;
use std::path::PathBuf;

use superlance_core::system::secret::Secret;

use crate::template::{Form, Subject, Template};

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// On the command line, where others can see it.
    Literal(String),
    /// In the environment, which was read at the start.
    Environment(Secret),
    /// In a file, which is read at each check, since tokens rotate.
    File(PathBuf),
}

impl Source {
    /// The same with placeholders replaced, in a text and in the path of a file.
    ///
    /// # Errors
    /// When there is something wrong with them.
    pub fn expand(&self, subject: Subject<'_>) -> Result<Self, String> {
        let expand = |text: &str| Template::parse(text, Form::Plain)?.expand(subject);
        Ok(match self {
            Self::Literal(text) => Self::Literal(expand(text)?),
            Self::Environment(secret) => Self::Environment(secret.clone()),
            Self::File(path) => Self::File(expand(&path.to_string_lossy())?.into()),
        })
    }

    /// The value, of a file its first line.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn read(&self) -> Result<Secret, String> {
        match self {
            Self::Literal(text) => Ok(text.as_str().into()),
            Self::Environment(secret) => Ok(secret.clone()),
            Self::File(path) => {
                Secret::of_file(path).map_err(|why| format!("file:{}: {why}", path.display()))
            }
        }
    }

    /// The value, of a file all of it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn read_whole(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::File(path) => {
                fs::read(path).map_err(|error| format!("file:{}: {error}", path.display()))
            }
            _ => Ok(self.read()?.expose().as_bytes().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use superlance_testing::Scratch;

    use super::*;

    #[test]
    fn a_file_is_read_each_time() {
        let scratch = Scratch::new();
        let source = Source::File(scratch.write("token", "one\nmore\n"));
        assert_eq!(source.read().unwrap().expose(), "one");
        assert_eq!(source.read_whole().unwrap(), b"one\nmore\n");
        scratch.write("token", "two");
        assert_eq!(source.read().unwrap().expose(), "two");
        scratch.write("token", "\n");
        assert!(source.read().unwrap_err().ends_with("/token: its first line is empty"));
        let gone = Source::File("/no/such".into());
        let expected = "file:/no/such: No such file or directory (os error 2)";
        assert_eq!(gone.read().unwrap_err(), expected);
        assert_eq!(gone.read_whole().unwrap_err(), expected);
    }

    #[test]
    fn others_are_what_they_are() {
        assert_eq!(Source::Literal("a\nb".to_owned()).read().unwrap().expose(), "a\nb");
        let secret = Source::Environment("x".into());
        assert_eq!(secret.read_whole().unwrap(), b"x");
        assert_eq!(format!("{secret:?}"), "Environment(***)");
    }
}
