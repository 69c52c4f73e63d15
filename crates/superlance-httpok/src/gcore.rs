//! A core dump of a process that is about to be restarted.

use superlance_core::supervisor::ProcessInfo;
use superlance_core::system::command::{Finished, Shell};

/// The command that writes core dumps, and where to.
#[derive(Debug)]
pub(crate) struct Gcore {
    command: String,
    directory: String,
}

impl Gcore {
    /// `None` when no core dump is wanted: no directory, or (as in the original) an empty command.
    pub(crate) fn new(command: String, directory: Option<String>) -> Option<Self> {
        let directory = directory.filter(|directory| !directory.is_empty())?;
        (!command.is_empty()).then_some(Self { command, directory })
    }

    /// Writes a core dump, however long that takes. Returns what to report of it: the command's
    /// output as the original does, and what went wrong. Nothing that goes wrong here is a reason not
    /// to restart the process.
    pub(crate) fn dump(&self, info: &ProcessInfo) -> Vec<String> {
        let (name, directory) = (info.short_name(), &self.directory);
        let mut report = Vec::new();
        // The shell is asked because it also reads the directory below: `$HOME/cores` is possible.
        let usable = format!("test -d \"{directory}\" && test -w \"{directory}\"");
        if Shell::new(usable).output().result.is_err() {
            report
                .push(format!("Core directory {directory} does not exist or cannot be written to"));
        }
        let Finished { output, result } = Shell::new(self.command_line(&name, info.pid)).output();
        report.push(format!("gcore output for {name}:\n\n {output}"));
        if let Err(error) = result {
            report.push(format!("gcore for {name}: {error}"));
        }
        report
    }

    /// The original's command, `GCORE "DIRECTORY/NAME" PID`. The directory is the user's own text and
    /// may contain variables; the name comes from elsewhere, stands for nothing but itself, and leads
    /// to no other directory. A core has all that the process knew: not everybody may read it.
    fn command_line(&self, name: &str, pid: u32) -> String {
        let Self { command, directory } = self;
        let slash = if directory.ends_with('/') { "" } else { "/" };
        let file = match name {
            "." | ".." => "_".to_owned(),
            name => name.replace('/', "_").replace('\'', r"'\''"),
        };
        format!("umask o=; {command} \"{directory}{slash}\"'{file}' {pid}")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;
    use superlance_core::supervisor::State;

    use super::*;

    fn process(name: &str) -> ProcessInfo {
        let (group, name) = ("g".to_owned(), name.to_owned());
        ProcessInfo {
            name,
            group,
            pid: 77,
            state: State::Running,
            start: 0,
            stop: 0,
            exit_status: 0,
            now: 0,
        }
    }

    fn gcore(command: &str, directory: &str) -> Gcore {
        Gcore::new(command.to_owned(), Some(directory.to_owned())).unwrap()
    }

    #[test]
    fn the_command_gets_a_file_name_and_a_pid() {
        let directory = tempfile::tempdir().unwrap();
        let report = gcore("printf '<%s>'", directory.path().to_str().unwrap()).dump(&process("x"));
        let expected =
            format!("gcore output for g:x:\n\n <{}/g:x><77>", directory.path().display());
        assert_eq!(report, [expected]);
    }

    #[test]
    fn variables_in_the_directory_are_the_users_wish() {
        let report = gcore("echo", "$PWD/").dump(&process("x"));
        let here = std::env::current_dir().unwrap();
        assert_eq!(report, [format!("gcore output for g:x:\n\n {}/g:x 77\n", here.display())]);
    }

    #[test]
    fn what_goes_wrong_is_reported() {
        assert_eq!(
            gcore("echo x; exit 1 #", "/no/such").dump(&process("x")),
            [
                "Core directory /no/such does not exist or cannot be written to",
                "gcore output for g:x:\n\n x\n",
                "gcore for g:x: the command failed with exit status 1",
            ]
        );
    }

    #[test]
    fn no_name_leads_elsewhere() {
        for (name, file) in [("../x", "g:.._x"), ("/etc/x", "g:_etc_x"), ("..", "g:..")] {
            let report = gcore("printf '<%s>'", "/d").dump(&process(name));
            assert!(report.iter().any(|line| line.contains(&format!("</d/{file}>"))), "{report:?}");
        }
        // The name alone, where the group is called the same.
        for (name, file) in [("..", "_"), (".", "_"), ("../../x", ".._.._x")] {
            let info = ProcessInfo { group: name.to_owned(), ..process(name) };
            let report = gcore("printf '<%s>'", "/d").dump(&info);
            assert!(report.iter().any(|line| line.contains(&format!("</d/{file}>"))), "{report:?}");
        }
    }

    #[test]
    fn a_core_is_not_for_everybody() {
        let directory = tempfile::tempdir().unwrap();
        let copy = "f() { umask; echo core > \"$1\"; }; f";
        let report = gcore(copy, directory.path().to_str().unwrap()).dump(&process("x"));
        assert!(report[0].trim_end().ends_with('7'), "the umask: {report:?}");
        let core = std::fs::metadata(directory.path().join("g:x")).unwrap();
        assert_eq!(core.permissions().mode() & 0o007, 0);
    }

    #[test]
    fn without_directory_or_command_there_is_none() {
        assert!(Gcore::new("gcore".to_owned(), None).is_none());
        assert!(Gcore::new("gcore".to_owned(), Some(String::new())).is_none());
        assert!(Gcore::new(String::new(), Some("/".to_owned())).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn no_name_is_read_by_the_shell(name in r#"[a-c'"$`\\ ;&|(){}*!\n-]{1,12}"#) {
            let report = gcore("printf '<%s>'", "/").dump(&process(&name));
            let expected = format!("gcore output for g:{name}:\n\n </g:{name}><77>");
            prop_assert_eq!(report.last(), Some(&expected));
        }
    }
}
