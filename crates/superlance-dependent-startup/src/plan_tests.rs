use super::*;
use crate::graph::Lenience;
use crate::graph::tests::{handled, read};

fn printed(text: &str) -> String {
    plan(&read(text, Lenience::None).graph)
}

#[test]
fn a_program_stands_under_each_that_it_waits_for_and_others_stand_last() {
    let wait = |list: &str| format!("dependent_startup_wait_for={list}");
    let text = handled("db", "priority=5")
        + &handled("migrate", &wait("db"))
        + &handled(
            "web",
            &(wait("migrate:exited db cache") + "\nnumprocs=2\nprocess_name=%(process_num)s"),
        )
        + &handled("mail", &wait("web"))
        + "[program:cache]\ncommand=x\n";
    let expected = "\
db  priority 5
├─ migrate  after db
│  └─ web  after migrate:exited  and db, cache  2 processes
│     └─ mail  after web
└─ web  after db  and migrate:exited, cache  2 processes …
cache  not handled
└─ web  after cache  and migrate:exited, db  2 processes …
";
    assert_eq!(printed(&text), expected);
}

#[test]
fn what_is_wrong_stands_below() {
    let wait = |list: &str| format!("dependent_startup_wait_for={list}");
    let text = handled("a", &wait("b")) + &handled("b", &wait("a")) + &handled("c", &wait("typo"));
    let circle = "Cirular dependencies detected: Circular dependencies exist among these items: \
                  {a:{'b'}, b:{'a'}}";
    let expected = format!(
        "\
c  not started, see below
a  after b  not started, see below
└─ b  after a  not started, see below
   └─ a  after b  not started, see below …

{circle}
Service 'c' depends on unknown service 'typo'
"
    );
    let printed = printed(&text);
    assert!(printed == expected, "{printed}");
    assert_eq!(plan(&Graph::default()), "no programs\n");
}
