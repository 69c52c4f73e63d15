//! The completions that `make install` and the packages install, in the shells themselves.

use std::path::Path;
use std::process::Command;

use superlance_testing::Scratch;

/// What bash offers for the last of `words`.
fn completed(folder: &Path, words: &[&str]) -> Vec<String> {
    let script = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                  \"_$1\" \"$1\" \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; \
                  printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["-c", script, "bash"])
        .arg(folder.join("bash").join(words[0]))
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_options_and_commands() {
    let folder = Scratch::new();
    superlance_packaging::write_completions(folder.path()).unwrap();
    let complete = |words: &[&str]| completed(folder.path(), words);
    assert_eq!(complete(&["memmon", "--me"]), ["--metric", "--metrics-file"]);
    assert_eq!(complete(&["superlance", "st"]), ["status"]);
    assert_eq!(complete(&["superlance", "check", "--fail"]), ["--fail-on"]);
    assert_eq!(complete(&["superlance", "memmon", "--me"]), ["--metric", "--metrics-file"]);
    // Files are offered for paths, and not for names.
    let path = folder.write("x.conf", "").display().to_string();
    let beginning = path.strip_suffix(".conf").unwrap();
    assert_eq!(complete(&["memmon", "-p", beginning]), [beginning]);
    assert_eq!(complete(&["memmon", "--status-file", beginning]), [path.as_str()]);
    assert_eq!(complete(&["memmon", "--sendmail_program", beginning]), [path]);
    // The prefixes of options that old configurations may have are no options of their own.
    let all = complete(&["memmon", "--"]);
    assert!(all.contains(&"--email".to_owned()), "{all:?}");
    assert!(!all.contains(&"--em".to_owned()), "{all:?}");
}
