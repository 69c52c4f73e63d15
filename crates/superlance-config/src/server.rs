//! The choice of supervisord and the login for it, as supervisorctl makes it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use superlance_core::supervisor::RpcError;
use superlance_core::supervisor::rpc::{Advice, RpcClient};
use superlance_core::system::secret::Secret;
use superlance_core::system::surroundings::{program_folder, variables, working_folder};

use crate::configuration::Configuration;
use crate::expand::{Item, Names, expand, variable_names};
use crate::paths;

/// The socket where no configuration names one.
const DEFAULT_URL: &str = "http://localhost:9001";

/// The section that supervisorctl reads.
const SECTION: &str = "supervisorctl";

// No doc comment: clap would show it in place of what the command does.
#[derive(Debug, Clone, Default, Args)]
pub struct ServerOptions {
    // Not a doc comment, where [supervisorctl] would be a link.
    #[arg(short, long, value_name = "FILE")]
    #[arg(
        help = "Configuration whose [supervisorctl] section says where supervisord listens; if \
                  not given, it is searched where supervisorctl searches"
    )]
    pub configuration: Option<PathBuf>,

    /// Where supervisord listens: unix://PATH or http://HOST:PORT
    #[arg(short = 's', long = "serverurl", value_name = "URL")]
    pub url: Option<String>,

    /// Name of the user to supervisord
    #[arg(short, long, value_name = "USER")]
    pub username: Option<String>,

    /// Password of the user
    #[arg(short, long, value_name = "PASSWORD")]
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

/// The remedies where supervisord refuses, for a user at a terminal.
const ADVICE: Advice = Advice {
    login: "give them with -u and -p, or as username= and password= in the [supervisorctl] section of \
            the configuration",
    access: "run this as a user who may open the socket (sudo), or let this user with chmod= or \
             chown= in the [unix_http_server] section",
};

/// The reason why there is no supervisord to ask.
#[derive(Debug, PartialEq, Eq)]
pub enum NoServer {
    /// The command line is wrong.
    Usage(String),
    /// The configuration is.
    Configuration(String),
}

/// A client for a supervisord that was found.
pub struct Connection {
    pub client: RpcClient,
    /// Its configuration, if one was read.
    pub file: Option<PathBuf>,
    /// The origin of its URL, for when no supervisord answers there.
    pub origin: String,
}

/// Finds the supervisord to ask, and makes a client for it, which connects when it is first used.
///
/// # Errors
/// When there is none.
pub fn connect(
    options: ServerOptions,
    environment: &Environment<'_>,
) -> Result<Connection, NoServer> {
    let is_given = options.url.is_some();
    // The configuration found by default need not be that of another server.
    let is_of_server = !is_given || options.configuration.is_some();
    let server = find(options, environment).map_err(NoServer::Configuration)?;
    match RpcClient::new(&server.url, &server.username, &server.password) {
        Ok(client) => Ok(Connection {
            client: client.advising(ADVICE),
            file: server.file.filter(|_| is_of_server),
            origin: server.origin,
        }),
        Err(error) if is_given => Err(NoServer::Usage(format!("-s: {error}"))),
        Err(error) => Err(NoServer::Configuration(format!("{error}; it is {}", server.origin))),
    }
}

impl Connection {
    /// A failed question in words for people, with what may be wrong.
    #[must_use]
    pub fn explain(&self, error: &RpcError) -> String {
        match error {
            RpcError::Fault(fault) => format!("supervisord refuses: {}", fault.text),
            RpcError::Unreachable(why) | RpcError::NoAnswer(why) => {
                format!("{why}\n(the address is {})", self.origin)
            }
        }
    }
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
    let mut names = variable_names(environment.variables.clone());
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
    /// That of this program.
    #[must_use]
    pub fn here() -> Self {
        Self {
            program_folder: program_folder(),
            working_folder: working_folder(),
            root: Path::new("/"),
            variables: variables(),
        }
    }

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
