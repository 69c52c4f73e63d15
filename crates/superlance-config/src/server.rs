//! The choice of supervisord and the login for it, as supervisorctl makes it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use superlance_core::system::secret::Secret;

use crate::configuration::Configuration;
use crate::expand::{Item, Names, expand};
use crate::paths;

/// The socket where no configuration names one.
const DEFAULT_URL: &str = "http://localhost:9001";

/// The section that supervisorctl reads.
const SECTION: &str = "supervisorctl";

/// The options of the command line.
#[derive(Debug, Default)]
pub struct ServerOptions {
    pub configuration: Option<PathBuf>,
    pub url: Option<String>,
    pub username: Option<String>,
    pub password: Option<Secret>,
}

/// The environment.
#[derive(Debug)]
pub struct Environment<'a> {
    /// The folder that our program is in.
    pub program_folder: Option<PathBuf>,
    /// The folder that relative paths begin in.
    pub working_folder: PathBuf,
    /// The root of the file system.
    pub root: &'a Path,
    /// The variables of the environment.
    pub variables: Vec<(String, String)>,
}

/// A supervisord.
#[derive(Debug, PartialEq, Eq)]
pub struct Server {
    pub url: String,
    pub username: String,
    pub password: Secret,
    /// The origin of the URL, for when no supervisord answers there.
    pub origin: String,
    /// The configuration that was read, if one was.
    pub file: Option<PathBuf>,
}

/// Finds the supervisord to ask.
///
/// # Errors
/// When the configuration cannot be used.
pub fn find(options: ServerOptions, environment: &Environment<'_>) -> Result<Server, String> {
    let searched = environment.search_path();
    let named = options.configuration.map(|path| environment.working_folder.join(path));
    let is_named = named.is_some();
    let file = named.or_else(|| searched.iter().find(|path| path.exists()).cloned());
    let found = match &file {
        None => None,
        Some(path) => match read(path, environment) {
            Ok(found) => Some(found),
            // With a URL given, a default file need not be readable.
            Err(_) if options.url.is_some() && !is_named => None,
            Err(error) => return Err(format!("{}: {error}", path.display())),
        },
    };
    let (is_read, found) = (found.is_some(), found.unwrap_or_default());
    let origin = match (&options.url, &file, &found.url) {
        (Some(_), _, _) => "from -s".to_owned(),
        (None, Some(path), Some(_)) => format!("from {}", path.display()),
        (None, Some(path), None) => {
            format!("the default, since {} has no serverurl=", path.display())
        }
        (None, None, _) => {
            let searched: Vec<_> = searched.iter().map(|path| path.display().to_string()).collect();
            format!(
                "the default, since no configuration was found in {}; name one with -c, or the \
                 server with -s",
                searched.join(", ")
            )
        }
    };
    Ok(Server {
        url: options.url.or(found.url).unwrap_or_else(|| DEFAULT_URL.to_owned()),
        username: options.username.or(found.username).unwrap_or_default(),
        password: options.password.or(found.password).unwrap_or_default(),
        origin,
        file: file.filter(|_| is_read),
    })
}

/// The values of a configuration.
#[derive(Debug, Default)]
struct Found {
    url: Option<String>,
    username: Option<String>,
    password: Option<Secret>,
}

fn read(path: &Path, environment: &Environment<'_>) -> Result<Found, String> {
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "there is no such configuration".to_owned(),
        ErrorKind::PermissionDenied => {
            "this user may not read the configuration; name another with -c".to_owned()
        }
        _ => format!("cannot read the configuration: {error}"),
    })?;
    let configuration = Configuration::parse(&String::from_utf8_lossy(&bytes), path)
        .map_err(|error| error.to_string())?;
    if configuration.section(SECTION).is_none() {
        return Err(format!(
            "the configuration has no [{SECTION}] section, which would say where supervisord \
             listens (serverurl=, username=, password=)"
        ));
    }
    let here = path.parent().unwrap_or(path).display().to_string();
    let variables = environment.variables.iter();
    let mut names: Names =
        variables.map(|(name, value)| (format!("ENV_{name}"), Item::Text(value.clone()))).collect();
    let value = |key: &str, names: &Names| {
        let value = configuration.get(SECTION, key);
        value
            .map(|value| expand(&value.text, names).map_err(|error| format!("{key}=: {error}")))
            .transpose()
    };
    let (username, password) = (value("username", &names)?, value("password", &names)?);
    names.insert("here".to_owned(), Item::Text(here));
    let url = value("serverurl", &names)?.map(|url| match url.strip_prefix("unix://") {
        Some(socket) => format!("unix://{}", environment.normalize(socket).display()),
        None => url,
    });
    Ok(Found { url, username, password: password.map(Secret::from) })
}

impl Environment<'_> {
    /// The default places of configurations, the likeliest first.
    #[must_use]
    pub fn search_path(&self) -> Vec<PathBuf> {
        self.search_path_of("supervisord.conf")
    }

    /// The same for configurations of another name.
    #[must_use]
    pub fn search_path_of(&self, name: &str) -> Vec<PathBuf> {
        let beside = self.program_folder.as_deref().and_then(Path::parent);
        let folders = [
            beside.map(|folder| folder.join("etc")),
            beside.map(Path::to_owned),
            Some(self.working_folder.clone()),
            Some(self.working_folder.join("etc")),
            Some(self.root.join("etc")),
            Some(self.root.join("etc/supervisor")),
        ];
        folders.into_iter().flatten().map(|folder| folder.join(name)).collect()
    }

    /// An absolute path without `~`, `.` and `..`.
    fn normalize(&self, path: &str) -> PathBuf {
        let home = self.variables.iter().find(|(name, _)| name == "HOME");
        let path = paths::expand_home(path, home.map(|(_, value)| value.clone()));
        paths::normal(&self.working_folder.join(path))
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
