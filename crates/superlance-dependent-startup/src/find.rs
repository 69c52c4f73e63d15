//! The configuration to read.

use std::path::PathBuf;

use superlance_config::server;
use superlance_core::listener::environment::Environment;

use crate::options::Options;

/// The file that `-c` names, or that supervisord was started with, or else the first there is where
/// supervisord looks for one.
///
/// # Errors
/// When there is none.
pub(crate) fn find(options: &Options, environment: &Environment) -> Result<PathBuf, String> {
    let here = server::Environment::here();
    if let Some(file) = &options.config {
        let path = here.working_folder.join(file);
        return match path.exists() {
            true => Ok(path),
            false => Err(format!("Config path {} does not exist!", file.display())),
        };
    }
    let name = options.config_filename();
    let own = environment.configuration().filter(|path| path.exists() && name.is_none());
    let searched = here.search_path_of(name.unwrap_or("supervisord.conf"));
    own.or_else(|| searched.iter().find(|path| path.exists()).cloned()).ok_or_else(|| {
        let searched: Vec<_> = searched.iter().map(|path| path.display().to_string()).collect();
        format!("Unable to find a config file in {}; name one with -c", searched.join(", "))
    })
}
