//! The choice of supervisord and the login for it, as supervisorctl makes it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use superlance_core::system::secret::Secret;

use superlance_config::{Configuration, expand};

/// The socket where no configuration names one.
const DEFAULT_URL: &str = "http://localhost:9001";

/// The section that supervisorctl reads.
const SECTION: &str = "supervisorctl";

/// The options of the command line.
#[derive(Debug, Default)]
pub(crate) struct ServerOptions {
    pub(crate) configuration: Option<PathBuf>,
    pub(crate) url: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
}

/// The environment.
#[derive(Debug)]
pub(crate) struct Environment<'a> {
    /// The folder that our program is in.
    pub(crate) program_folder: Option<PathBuf>,
    /// The folder that relative paths begin in.
    pub(crate) working_folder: PathBuf,
    /// The root of the file system.
    pub(crate) root: &'a Path,
    /// A variable of the environment.
    pub(crate) variable: fn(&str) -> Option<String>,
}

/// A supervisord.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) username: String,
    pub(crate) password: Secret,
    /// The origin of the URL, for when no supervisord answers there.
    pub(crate) origin: String,
}

/// Finds the supervisord to ask.
pub(crate) fn find(
    options: ServerOptions,
    environment: &Environment<'_>,
) -> Result<Server, String> {
    let searched = environment.search_path();
    let named = options.configuration.map(|path| environment.working_folder.join(path));
    let is_named = named.is_some();
    let file = named.or_else(|| searched.iter().find(|path| path.exists()).cloned());
    let found = match &file {
        None => Found::default(),
        Some(path) => match read(path, environment) {
            Ok(found) => found,
            // With a URL given, a default file need not be readable.
            Err(_) if options.url.is_some() && !is_named => Found::default(),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        },
    };
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
    let configuration = Configuration::parse(&String::from_utf8_lossy(&bytes))?;
    if !configuration.has(SECTION) {
        return Err(format!(
            "the configuration has no [{SECTION}] section, which would say where supervisord \
             listens (serverurl=, username=, password=)"
        ));
    }
    let here = path.parent().unwrap_or(path).display().to_string();
    let value = |key: &str| {
        let lookup = |name: &str| match name.strip_prefix("ENV_") {
            Some(variable) => (environment.variable)(variable),
            None => (name == "here" && key == "serverurl").then(|| here.clone()),
        };
        let value = configuration.get(SECTION, key);
        value
            .map(|value| expand(value, lookup).map_err(|error| format!("{key}=: {error}")))
            .transpose()
    };
    let url = value("serverurl")?.map(|url| match url.strip_prefix("unix://") {
        Some(socket) => format!("unix://{}", environment.normalize(socket).display()),
        None => url,
    });
    Ok(Found { url, username: value("username")?, password: value("password")?.map(Secret::from) })
}

impl Environment<'_> {
    /// The default places of configurations, the likeliest first.
    fn search_path(&self) -> Vec<PathBuf> {
        let beside = self.program_folder.as_deref().and_then(Path::parent);
        let folders = [
            beside.map(|folder| folder.join("etc")),
            beside.map(Path::to_owned),
            Some(self.working_folder.clone()),
            Some(self.working_folder.join("etc")),
            Some(self.root.join("etc")),
            Some(self.root.join("etc/supervisor")),
        ];
        folders.into_iter().flatten().map(|folder| folder.join("supervisord.conf")).collect()
    }

    /// An absolute path without `~`, `.` and `..`.
    fn normalize(&self, path: &str) -> PathBuf {
        let home = || (self.variable)("HOME");
        let path = match path.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                home().map_or_else(|| path.to_owned(), |home| format!("{home}{rest}"))
            }
            _ => path.to_owned(),
        };
        let mut normal = PathBuf::new();
        for component in self.working_folder.join(path).components() {
            match component {
                Component::CurDir => {}
                // At the root this does nothing, which is right.
                Component::ParentDir => drop(normal.pop()),
                component => normal.push(component),
            }
        }
        normal
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
