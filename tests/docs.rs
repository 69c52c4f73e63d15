//! Documents agree with the commands that they describe, and `make install` installs them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use superlance_testing::headings;

use crate::ours;

/// A file of the project.
pub(crate) fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

#[track_caller]
fn read(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What a program prints, when it ends well and says nothing else.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{command:?}: {complaints}");
    String::from_utf8(output.stdout).unwrap()
}

/// The event listeners.
fn commands() -> Vec<String> {
    superlance_testing::listeners(ours())
}

/// What is run at a terminal.
const TOOLS: [&str; 5] = ["check", "metrics", "run", "status", "test-alert"];

/// All that has options of its own, with its manual page.
fn documented() -> Vec<(String, String)> {
    let with_page = |name: String, prefix| {
        let manual = page(&format!("man/{prefix}{name}.1"));
        (name, manual)
    };
    let listeners = commands().into_iter().map(|name| with_page(name, ""));
    let tools = TOOLS.into_iter().map(|name| with_page(name.to_owned(), "superlance-"));
    listeners.chain(tools).collect()
}

/// The manual page itself, where `path` is only another name of it.
fn page(path: &str) -> String {
    let text = read(path);
    text.strip_prefix(".so man1/").map_or(path.to_owned(), |name| format!("man/{}", name.trim()))
}

type Options = BTreeSet<String>;

/// The options of a `--help` text: those that begin its lines, and other spellings, which it names as
/// `[long also: --x, --y]`.
fn options_of_help(text: &str) -> Options {
    let lines = text.lines().filter(|line| line.starts_with("  ") && !line.starts_with("       "));
    let first = lines.filter(|line| line.trim_start().starts_with('-')).flat_map(|line| {
        line.split_whitespace()
            .take_while(|word| word.starts_with('-'))
            .map(|word| word.trim_end_matches(',').to_owned())
    });
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let also = words.split("long also: ").skip(1).flat_map(|rest| {
        let names = rest.split(']').next().unwrap_or_default();
        names.split(", ").map(str::to_owned).collect::<Vec<_>>()
    });
    first.chain(also).collect()
}

/// The part of a `--help` text with the options of a command, and those with what all listeners have
/// in common: where alerts go, and what the log looks like.
fn parts_of_help(text: &str) -> (&str, &str, &str) {
    let (own, shared) = text.split_once("\nAlerts:\n").unwrap_or((text, ""));
    let (alerts, log) = shared.split_once("\nLog:\n").unwrap_or((shared, ""));
    (own, alerts, log)
}

/// The options that some lines of a manual page mark up with `Fl`.
fn options_of_man<'a>(lines: impl Iterator<Item = &'a str>) -> Options {
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    let pairs = words.windows(2).filter(|pair| pair[0].trim_start_matches('.') == "Fl");
    pairs.map(|pair| format!("-{}", pair[1])).collect()
}

#[test]
fn help_and_manual_have_the_same_options() {
    let mut differences = Vec::new();
    let mut compare = |path: &str, program: &Options, written: &Options, whole: bool| {
        let missing = program.difference(written).filter(|_| whole);
        differences.extend(missing.map(|option| format!("{path} lacks {option}")));
        let unknown = written.difference(program);
        differences.extend(unknown.map(|option| format!("{path} has {option}, --help does not")));
    };
    let options_of_page = |page: &str, start: &str| {
        options_of_man(read(page).lines().filter(|line| line.starts_with(start)))
    };
    let (mut all, mut shared, mut log) = (Options::new(), Options::new(), Options::new());
    // By page: the options of the commands that it describes, and with those of all listeners.
    let mut pages: BTreeMap<String, (Options, Options)> = BTreeMap::new();
    for (name, manual) in documented() {
        let help = run(Command::new(ours()).args([&name, "--help"]));
        let (own, of_alerts, of_log) = parts_of_help(&help);
        let (program, every) = (options_of_help(own), options_of_help(&help));
        assert!(program.contains("--help"), "{program:?}");
        all.extend(every.clone());
        shared.extend(options_of_help(of_alerts));
        log.extend(options_of_help(of_log));
        let page = pages.entry(manual).or_default();
        page.0.extend(program);
        page.1.extend(every);
    }
    for (manual, (program, every)) in &pages {
        compare(manual, program, &options_of_page(manual, ".It "), true);
        // What the rest of the page mentions must exist.
        compare(manual, every, &options_of_page(manual, "."), false);
    }
    // What all have in common is described once.
    let manual = "man/superlance-alerts.7";
    compare(manual, &shared, &options_of_page(manual, ".It "), true);
    compare(manual, &all, &options_of_page(manual, "."), false);
    let manual = "man/superlance.1";
    let page = read(manual);
    let section = page.split("\n.Sh ").find(|section| section.starts_with("LOG\n")).unwrap();
    let described = options_of_man(section.lines().filter(|line| line.starts_with(".It ")));
    compare(manual, &log, &described, true);
    assert!(log.len() == 2, "{log:?}");
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn manual_pages_readme_and_changelog_have_the_version() {
    let version = env!("CARGO_PKG_VERSION");
    let readme = read("README.md");
    for package in ["superlance-rs_", "superlance_rs-", "superlance-"] {
        assert!(readme.contains(&format!("{package}{version}")), "README.md: {package}");
    }
    assert!(read("CHANGELOG.md").contains(&format!("\n## [{version}] - 20")), "CHANGELOG.md");
    let system = concat!("\n.Os superlance ", env!("CARGO_PKG_VERSION"), "\n");
    for page in fs::read_dir(file("man")).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&page).unwrap();
        assert!(text.starts_with(".so ") || text.contains(system), "{}", page.display());
    }
}

/// docs/man has each manual page as Markdown; the first line has the checksum of its source.
#[test]
fn manual_pages_on_the_web_are_current() {
    let mut written = names_in(&file("docs/man"));
    for name in names_in(&file("man")) {
        let source = format!("man/{name}");
        if page(&source) != source {
            continue;
        }
        let sum = run(Command::new("cksum").stdin(fs::File::open(file(&source)).unwrap()));
        let web = format!("{}.md", name.rsplit_once('.').unwrap().0);
        let text = fs::read_to_string(file("docs/man").join(&web)).unwrap_or_default();
        let first = format!("<!-- by make manuals, from {source}, cksum {} -->", sum.trim());
        assert_eq!(text.lines().next(), Some(&*first), "docs/man/{web}: run `make manuals`");
        written.retain(|other| *other != web);
    }
    assert!(written.is_empty(), "docs/man has pages without a source: {written:?}");
}

/// supervisord throws away what does not fit, and ten crashes at one moment are not many.
#[test]
fn every_example_for_process_states_has_a_buffer() {
    let pages = |folder: &str| {
        let names = names_in(&file(folder)).into_iter();
        names.map(|name| format!("{folder}/{name}")).collect::<Vec<_>>()
    };
    let pages = [pages("docs"), pages("man")].concat().into_iter();
    let pages = pages.filter(|path| path.rsplit('.').next().is_some_and(|end| end.len() < 3));
    let mut examples = 0;
    for path in pages.chain(["README.md".to_owned()]) {
        let text = read(&path);
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if line.starts_with("events=") && line.contains("PROCESS_STATE") {
                examples += 1;
                assert_eq!(lines.peek(), Some(&"buffer_size=256"), "{path}: {line}");
            }
        }
    }
    assert!(examples > 10, "{examples}");
}

/// Links between README, changelog and guides lead to files. In a mail, `[foo](77)` is a process.
#[test]
fn links_lead_to_files() {
    let guides = files_below(&file("docs")).into_iter().map(|path| Path::new("docs").join(path));
    let pages = guides.chain(["README.md", "CHANGELOG.md"].map(PathBuf::from));
    let (mut links, mut dead) = (0, Vec::new());
    for page in pages.filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
        let page = page.to_str().unwrap();
        let text = read(page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let is_elsewhere = link.is_empty() || link.starts_with("http");
            if is_elsewhere || link.parse::<u32>().is_ok() {
                continue;
            }
            links += 1;
            if !file(page).with_file_name(link).exists() {
                dead.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(links > 100 && dead.is_empty(), "of {links} dead:\n{}", dead.join("\n"));
}

#[test]
fn every_command_is_in_the_overviews() {
    let (readme, manual) = (read("README.md"), read("man/superlance.1"));
    for name in commands() {
        let row = format!("\n| [{name}](docs/");
        assert!(readme.contains(&row), "README.md has no row for {name}");
        let entry = format!("\n.It Xr {name} 1\n");
        assert!(manual.contains(&entry), "man/superlance.1 does not name {name}");
    }
    for name in TOOLS {
        assert!(readme.contains(&format!("superlance {name} ")), "README.md does not show {name}");
        let entry = format!("\n.It Xr superlance-{name} 1\n");
        assert!(manual.contains(&entry), "man/superlance.1 does not name {name}");
    }
}

#[test]
fn the_readme_is_short() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 170, "README.md has {} lines", readme.lines().count());
    let is_row = |line: &&str| line.starts_with('|');
    for table in readme.split("\n\n").filter(|part| part.lines().any(|line| is_row(&line))) {
        // Two rows are its head.
        let rows = table.lines().filter(is_row).count();
        assert!(rows <= 12, "README.md has a table of {} rows:\n{table}", rows - 2);
    }
}

/// The first column of the tables of a guide that begin with `| the log says`.
fn lines_of_logs(guide: &str) -> Vec<&str> {
    let tables = guide.split("\n\n").filter(|part| part.starts_with("| the log says"));
    let cells =
        tables.flat_map(|table| table.lines().skip(2).filter_map(|row| row.split(" | ").next()));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

/// What a guide explains is in the sources: of each line the longest part that is the same each time.
#[test]
fn what_guides_say_of_logs_is_logged() {
    let mut sources = String::new();
    for path in files_below(&file("crates")) {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(file("crates").join(path)).unwrap();
            // A text goes on in the next line.
            let mut parts = text.split("\\\n");
            sources.extend(parts.next());
            sources.extend(parts.map(str::trim_start));
        }
    }
    let varies = |c: char| "…\"'()[]:".contains(c) || c.is_numeric();
    let (mut lines, mut missing) = (0, Vec::new());
    for name in names_in(&file("docs")).into_iter().filter(|name| name.ends_with(".md")) {
        let guide = read(&format!("docs/{name}"));
        for line in lines_of_logs(&guide) {
            lines += 1;
            let parts = line.split(varies).flat_map(|part| part.split("foo"));
            let longest = parts.max_by_key(|part| part.len()).unwrap().trim();
            if !sources.contains(longest) {
                missing.push(format!("docs/{name}: {line} ({longest:?})"));
            }
        }
    }
    assert!(lines > 60 && missing.is_empty(), "of {lines} not logged:\n{}", missing.join("\n"));
}

/// That a number which a test names has a heading is seen when the test runs.
#[test]
fn every_heading_of_a_deviation_has_a_test() {
    let headings: Vec<String> = headings().into_iter().map(|heading| heading.number).collect();
    let in_order = (1..=headings.len()).map(|number| format!("D{number}"));
    assert!(headings.len() >= 34 && headings.iter().cloned().eq(in_order), "{headings:?}");
    let mut sources = vec![read("tests/shared_deviations.rs"), read("tests/signals.rs")];
    for folder in ["crash", "dependent_startup", "httpok", "memmon"]
        .map(|name| file(&format!("tests/{name}")))
    {
        let files = names_in(&folder).into_iter().map(|name| folder.join(name));
        sources.extend(files.map(|path| fs::read_to_string(path).unwrap()));
    }
    let unshown: Vec<_> = headings
        .iter()
        .filter(|number| !sources.iter().any(|text| text.contains(&format!("\"{number}\""))))
        .collect();
    assert!(unshown.is_empty(), "no test deviates(…) or record(…)s {unshown:?}");
}

/// docs/security.md names tests as `MODULE::NAME`, where the module is that of a file.
#[test]
fn every_test_that_is_named_exists() {
    let mut sources = Vec::new();
    let mut folders = vec![file("crates"), file("tests")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let module = path.file_stem().unwrap().to_str().unwrap().trim_end_matches("_tests");
                sources.push((module.to_owned(), text));
            }
        }
    }
    let text = read("docs/security.md");
    let named = text.split('`').skip(1).step_by(2).filter_map(|name| name.split_once("::"));
    let named: Vec<_> = named.collect();
    let exists = |module: &str, name: &str| {
        let function = format!("fn {name}(");
        sources.iter().any(|(file, text)| file == module && text.contains(&function))
    };
    let missing: Vec<_> = named.iter().filter(|(module, name)| !exists(module, name)).collect();
    assert!(named.len() > 20 && missing.is_empty(), "docs/security.md names {missing:?}");
}

#[test]
fn manual_pages_are_well_formed() {
    let checkers = [
        ("groff", &["-ww", "-mandoc", "-Tutf8"][..]),
        ("mandoc", &["-Tlint", "-W", "warning"][..]),
    ];
    let installed = |name: &str| Command::new(name).arg("--version").output().is_ok();
    let mut used = Vec::new();
    for (name, arguments) in checkers.into_iter().filter(|(name, _)| installed(name)) {
        used.push(name);
        let manuals = documented().into_iter().map(|(_, manual)| manual);
        let others = ["man/superlance.1", "man/superlance-alerts.7"].map(str::to_owned);
        for manual in manuals.chain(others) {
            run(Command::new(name).args(arguments).arg(file(&manual)));
        }
    }
    println!("checked the manual pages with: {used:?} (Debian has groff in groff-base)");
}

/// `make install` and `make uninstall` with the program under test, into a folder of their own.
#[test]
fn what_is_installed_works_and_can_be_removed() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("installed");
    let _ = fs::remove_dir_all(&folder);
    let completions = folder.join("completions");
    superlance_packaging::write_completions(&completions).unwrap();
    let make = |target: &str| {
        let mut make = Command::new("make");
        for variable in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "BINDIR", "MANDIR"] {
            make.env_remove(variable);
        }
        make.arg("-C").arg(file("")).args([target, "PREFIX=/usr"]);
        make.arg(format!("DESTDIR={}", folder.display()));
        make.arg(format!("PROGRAM={}", ours().display()));
        make.arg(format!("COMPLETIONS={}", completions.display()));
        run(&mut make);
    };
    make("install");
    let (bin, man) = (folder.join("usr/bin"), folder.join("usr/share/man/man1"));
    let mut names = commands();
    for name in &names {
        assert_eq!(fs::read_link(bin.join(name)).unwrap(), Path::new("superlance"));
        let help = run(Command::new(bin.join(name)).arg("--help"));
        assert_eq!(help, run(Command::new(ours()).args([name, "--help"])));
    }
    names.push("superlance".to_owned());
    names.sort();
    assert_eq!(names_in(&bin), names, "COMMANDS in the Makefile are not those of --list");
    let tools = TOOLS.iter().map(|name| format!("superlance-{name}.1"));
    let mut pages: Vec<_> = names.iter().map(|name| format!("{name}.1")).chain(tools).collect();
    pages.sort();
    assert_eq!(names_in(&man), pages);
    // A page that is another name for one finds it, seen from the folder above.
    for path in pages.iter().map(|page| man.join(page)) {
        let text = fs::read_to_string(&path).unwrap();
        let other = text.strip_prefix(".so ").map(|name| man.join("..").join(name.trim()));
        assert!(other.is_none_or(|other| other.is_file()), "{}: {text}", path.display());
    }
    assert_eq!(names_in(&folder.join("usr/share/man/man7")), ["superlance-alerts.7"]);

    let examples = folder.join("usr/share/doc/superlance/examples");
    assert_eq!(files_below(&examples), files_below(&file("docs/examples")));

    // Once more over it, as an update does.
    make("install");
    make("uninstall");
    assert_eq!(files_below(&folder.join("usr")), Vec::<PathBuf>::new());
    assert!(!examples.join("..").exists());
}

/// What is in a folder and those below, but folders.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let listed = run(Command::new("find").args([".", "!", "-type", "d"]).current_dir(folder));
    let mut files: Vec<_> = listed.lines().map(PathBuf::from).collect();
    files.sort();
    files
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}
