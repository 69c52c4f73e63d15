//! Several URLs together.

use superlance_probe::outcome::{Class, Failed};

use super::*;

fn probed(word: &str) -> Probed {
    let failed = |class| Verdict::Failed(Failed { class, text: word.to_owned(), refused: false });
    let verdict = match word {
        "good" => Verdict::Good,
        "trouble" => Verdict::Trouble("why".to_owned()),
        "timeout" => failed(Class::Timeout),
        _ => failed(Class::Status),
    };
    let outcome = Outcome { verdict, ..impossible(String::new()) };
    Probed { url: word.to_owned(), outcome }
}

#[test]
fn every_url_must_be_good_or_any() {
    for (words, of_all, of_any) in [
        ("good", "good", "good"),
        ("good good", "good", "good"),
        ("good status", "status", "good"),
        ("timeout status", "timeout", "timeout"),
        ("trouble", "trouble", "trouble"),
        ("good trouble", "trouble", "good"),
        ("trouble status", "status", "trouble"),
    ] {
        let round: Vec<_> = words.split(' ').map(probed).collect();
        assert_eq!(together(&round, false), probed(of_all).outcome, "all of {words}");
        assert_eq!(together(&round, true), probed(of_any).outcome, "any of {words}");
    }
}
