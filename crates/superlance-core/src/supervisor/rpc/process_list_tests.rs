//! The same verdict as the general parser's: on what supervisord writes, and on what it does not.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::fuzz::Wire;
use crate::supervisor::rpc::{process_list, process_list_by_tree};

/// The processes, if the general parser is not needed for them.
fn alone(answer: &[u8]) -> Option<Vec<ProcessInfo>> {
    let decoded = decode(&mut &*answer).unwrap();
    decoded.rest.is_none().then_some(decoded.processes)
}

/// The processes of an answer that comes in pieces of this size.
fn in_pieces(answer: &str, size: usize) -> Option<Vec<ProcessInfo>> {
    process_list(Wire::new(answer.as_bytes().chunks(size).map(<[u8]>::to_vec)))
}

/// `xmlrpc.client.escape`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn text(key: &str, value: &str) -> String {
    member(key, &format!("<string>{}</string>", escaped(value)))
}

fn member(key: &str, value: &str) -> String {
    format!("<member>\n<name>{key}</name>\n<value>{value}</value>\n</member>\n")
}

/// An answer as supervisord writes it.
fn answer(processes: &[String]) -> String {
    let mut all = String::new();
    for members in processes {
        let _ = writeln!(all, "<value><struct>\n{members}</struct></value>");
    }
    format!(
        "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\n{all}\
         </data></array></value>\n</param>\n</params>\n</methodResponse>\n"
    )
}

/// What XML allows, with what it makes difficult more often than by chance.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[^\\x00-\\x1f\u{fffe}\u{ffff}]{0,12}",
        "[ \\n\\t&<>;a\u{e9}]{0,6}",
        select(vec!["", " ", "\n", "]]>", "&amp;", "<!--", "&#32;", "\u{feff}"])
            .prop_map(str::to_owned),
    ]
}

fn numbers() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i32>().prop_map(|number| format!("<int>{number}</int>")),
        (0..70_000i32).prop_map(|number| format!("<int>{number}</int>")),
        any::<i64>().prop_map(|number| format!("<i8>{number}</i8>")),
    ]
}

/// The members of a process in any order.
fn processes() -> impl Strategy<Value = String> {
    let texts = [texts(), texts(), texts(), texts()];
    let numbers = ["state", "start", "stop", "now", "exitstatus"].map(|_| numbers());
    (texts, 0..i32::MAX, numbers)
        .prop_map(|([name, group, description, error], pid, [state, start, stop, now, status])| {
            vec![
                text("name", &name),
                text("group", &group),
                text("description", &description),
                text("spawnerr", &error),
                member("pid", &format!("<int>{pid}</int>")),
                member("state", &state),
                member("start", &start),
                member("stop", &stop),
                member("now", &now),
                member("exitstatus", &status),
            ]
        })
        .prop_shuffle()
        .prop_map(|members| members.concat())
}

/// What a broken or hostile supervisord might put somewhere.
const INSERTIONS: [&str; 36] = [
    "",
    " ",
    "x",
    "<",
    ">",
    "&",
    ";",
    "\r",
    "\r\n",
    "\u{fffe}",
    "\u{feff}",
    "&amp;",
    "&#65;",
    "&x;",
    "]]>",
    "<![CDATA[x]]>",
    "<!-- x -->",
    "<?x y?>",
    "<!DOCTYPE x [<!ENTITY x 'y'>]>",
    "<value>",
    "</value>",
    "<value/>",
    "<string/>",
    "<nil/>",
    "<int>7</int>",
    "<int> 7</int>",
    "<i4>7</i4>",
    "<string> </string>",
    "<boolean>1</boolean>",
    "<array><data></data></array>",
    "<name>pid</name>",
    "<member><name>pid</name><value><int>-1</int></value></member>",
    "<member><name>name</name><value>plain</value></member>",
    "<member><name>now</name><value><double>1.5</double></value></member>",
    "<member><name></name><value><int>1</int></value></member>",
    " a='b'",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_supervisord_writes_is_read(processes in vec(processes(), 0..4), size in 1..5_000usize) {
        let answer = answer(&processes);
        let decoded = alone(answer.as_bytes());
        prop_assert!(decoded.is_some());
        prop_assert_eq!(&decoded, &in_pieces(&answer, size));
        prop_assert_eq!(decoded, process_list_by_tree(answer.into_bytes()));
    }

    #[test]
    fn anything_else_is_read_as_by_the_general_parser(
        processes in vec(processes(), 0..3),
        size in 1..5_000usize,
        changes in vec((any::<Index>(), 0..12usize, select(&INSERTIONS[..])), 1..4),
    ) {
        let mut answer = answer(&processes);
        for (place, removed, inserted) in changes {
            // Between tags and texts rather than in the middle of a word, most of the time.
            let places: Vec<usize> = answer.match_indices(['<', '>', '&']).map(|(at, _)| at).collect();
            let at = *place.get(&places) + removed % 2;
            let end = if removed < 6 { at } else { at + removed };
            if answer.is_char_boundary(at) && answer.is_char_boundary(end) && end <= answer.len() {
                answer.replace_range(at..end, inserted);
            }
            prop_assume!(answer.contains('<'));
        }
        prop_assert_eq!(in_pieces(&answer, size), process_list_by_tree(answer.into_bytes()));
    }

    #[test]
    fn nothing_panics(bytes: Vec<u8>) {
        let _ = alone(&bytes);
    }
}

#[test]
fn fields_are_required_in_their_types() {
    let fields = [
        text("name", "café"),
        text("group", "a & <b>"),
        member("pid", "<int>7</int>"),
        member("state", "<int>20</int>"),
        member("start", "<int>1</int>"),
        member("stop", "<i8>2</i8>"),
        member("exitstatus", "<int>4</int>"),
        member("now", "<int>3</int>"),
    ];
    let read = |fields: &[String]| alone(answer(&[fields.concat()]).as_bytes());
    let processes = read(&fields).unwrap();
    assert_eq!(processes[0].namespec(), "a & <b>:café");
    assert_eq!((processes[0].pid, processes[0].state), (7, State::Running));
    let times = (processes[0].start, processes[0].stop, processes[0].now);
    assert_eq!((times, processes[0].exit_status), ((1, 2, 3), 4));
    for missing in 0..fields.len() {
        let mut fewer = fields.to_vec();
        let removed = fewer.remove(missing);
        assert_eq!(read(&fewer), None, "without {removed}");
        let wrong = removed.replace("int>", "string>").replace("i8>", "string>");
        let wrong = if wrong == removed { removed.replace("string>", "int>") } else { wrong };
        fewer.push(wrong);
        assert_eq!(read(&fewer), None);
    }
}

#[test]
fn hostile_answers_are_given_up() {
    let deep = "<value><array><data>".repeat(100_000);
    let declared = "<!DOCTYPE a [<!ENTITY b 'c'>]><methodResponse>&b;</methodResponse>";
    let fault = "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n</fault></methodResponse>";
    for hostile in [deep.as_str(), declared, fault, "", "\u{feff}<?xml version='1.0'?>"] {
        assert_eq!(alone(hostile.as_bytes()), None);
        assert_eq!(in_pieces(hostile, 1_000), None);
    }
    let start = answer(&[]).replace("</data>", "");
    let deeper = start[..90].to_owned() + &deep;
    assert_eq!((alone(deeper.as_bytes()), in_pieces(&deeper, 1_000)), (None, None));
}

/// Of several processes one is not as supervisord writes it, or larger than the buffer.
#[test]
fn the_general_parser_reads_on_where_a_process_is_odd() {
    let ordinary = |name: &str| {
        let numbers = ["pid", "state", "start", "stop", "exitstatus", "now"];
        let numbers = numbers.map(|key| member(key, "<int>1</int>")).concat();
        text("name", name) + &text("group", "g") + &numbers
    };
    let odd = ordinary("b") + &member("new", "<boolean>1</boolean>");
    let large = ordinary("b") + &text("spawnerr", &"x".repeat(BUFFER));
    for middle in [odd, large] {
        let answer = answer(&[ordinary("a"), middle, ordinary("c")]);
        let decoded = decode(&mut answer.as_bytes()).unwrap();
        assert_eq!((decoded.processes.len(), decoded.rest.is_some()), (1, true));
        for size in [1, 1_000, usize::MAX] {
            let processes = in_pieces(&answer, size).unwrap();
            let names: Vec<_> = processes.iter().map(|process| process.name.as_str()).collect();
            assert_eq!(names, ["a", "b", "c"]);
        }
    }
}
