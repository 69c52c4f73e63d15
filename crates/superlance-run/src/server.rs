//! The supervisord that a command line starts: where it will serve, and which groups are event listeners.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use superlance_config::server::Environment;
use superlance_config::{Host as _, Server, Supervisord, ThisHost, load};
use superlance_core::options::supervisord::configuration;
use superlance_core::supervisor::rpc::{Advice, RpcClient};

/// The remedies where supervisord refuses.
const ADVICE: Advice = Advice {
    login: "the [supervisorctl] section must have username= and password= of the server section",
    access: "superlance run must run as root or as supervisord's user",
};

/// What is known of a supervisord by its configuration.
pub(crate) struct Known {
    pub(crate) client: RpcClient,
    /// The groups that are event listeners.
    pub(crate) listeners: HashSet<String>,
}

/// Finds it as supervisorctl does: by the configuration that the command names, or else that supervisord
/// finds itself.
///
/// # Errors
/// When it cannot be asked: why.
pub(crate) fn find(command: &[OsString], host: &ThisHost) -> Result<Known, String> {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let named = configuration(words.iter().map(|word| word.as_ref()));
    let path = match named {
        Some(path) => host.working_folder().join(path),
        None => searched(&words)?,
    };
    let loaded = load(&path, host);
    let read = Supervisord::read(&loaded, &path, host);
    let server = read.server_for_processes();
    let server = server.ok_or_else(|| {
        format!("{} has no [unix_http_server] or [inet_http_server] section", path.display())
    })?;
    let (username, password) = login(server, &loaded.configuration)?;
    let client = RpcClient::new(&server.url(), &username, &password.into());
    let client = client.map_err(|error| format!("{}: {error}", path.display()))?.advising(ADVICE);
    let listeners = read.listeners.iter().map(|pool| pool.program.group.clone()).collect();
    Ok(Known { client, listeners })
}

/// Where supervisord looks for its configuration.
fn searched(words: &[impl AsRef<str>]) -> Result<PathBuf, &'static str> {
    let program = words.iter().map(AsRef::as_ref).find(|word| word.ends_with("supervisord"));
    let program = program.ok_or("no word of the command is supervisord")?;
    let environment = Environment {
        program_folder: Path::new(program).parent().map(Path::to_owned),
        ..Environment::here()
    };
    let mut paths = environment.search_path().into_iter();
    paths.find(|path| path.exists()).ok_or("no configuration was found; name it with -c")
}

/// The login of the server, or where that is only a hash, that of supervisorctl.
fn login(
    server: &Server,
    configuration: &superlance_config::Configuration,
) -> Result<(String, String), String> {
    match &server.credentials {
        None => Ok((String::new(), String::new())),
        Some((_, password)) if password.starts_with("{SHA}") => {
            let value =
                |key| configuration.get("supervisorctl", key).map(|value| value.text.clone());
            let login = value("username").zip(value("password"));
            login.filter(|(_, password)| !password.contains('%')).ok_or_else(|| {
                format!(
                    "the password of [{}] is only known as {{SHA}}, and [supervisorctl] has none",
                    server.section
                )
            })
        }
        Some(credentials) => Ok(credentials.clone()),
    }
}
