//! A plain matcher of shell patterns, for comparison.

/// Whether a shell pattern matches, by trying everything. What is no pattern matches nothing.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let is_pattern = pattern.contains(['*', '?', '[']);
    let parts = parts(&pattern.chars().collect::<Vec<_>>());
    let text: Vec<char> = text.chars().collect();
    parts.filter(|_| is_pattern).is_some_and(|parts| {
        // Which beginnings of the text the parts so far match.
        let mut ends = vec![false; text.len() + 1];
        ends.first_mut().into_iter().for_each(|end| *end = true);
        for part in &parts {
            let before = ends.clone();
            let mut any_before = false;
            for (at, end) in ends.iter_mut().enumerate() {
                any_before |= before.get(at) == Some(&true);
                let last = at.checked_sub(1);
                let one = |accepts: &dyn Fn(char) -> bool| {
                    last.is_some_and(|last| {
                        before.get(last) == Some(&true)
                            && text.get(last).is_some_and(|c| accepts(*c))
                    })
                };
                *end = match part {
                    Part::Any => any_before,
                    Part::One => one(&|_| true),
                    Part::Exactly(expected) => one(&|c| c == *expected),
                    Part::Set(negated, ranges) => one(&|c| {
                        ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
                    }),
                };
            }
        }
        ends.last() == Some(&true)
    })
}

enum Part {
    Any,
    One,
    Exactly(char),
    Set(bool, Vec<(char, char)>),
}

/// The parts of a shell pattern; `None` where a set is not closed or a range runs backwards.
fn parts(pattern: &[char]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let [first, tail @ ..] = rest {
        rest = tail;
        parts.push(match first {
            '*' => Part::Any,
            '?' => Part::One,
            '[' => {
                let negated = rest.first() == Some(&'!');
                let members = rest.get(usize::from(negated)..)?;
                // A `]` that stands first is a member.
                let length = 1 + members.get(1..)?.iter().position(|c| *c == ']')?;
                let (members, after) = members.split_at(length);
                rest = after.get(1..)?;
                Part::Set(negated, ranges(members)?)
            }
            c => Part::Exactly(*c),
        });
    }
    Some(parts)
}

fn ranges(mut members: &[char]) -> Option<Vec<(char, char)>> {
    let mut ranges = Vec::new();
    while let [first, tail @ ..] = members {
        let (range, after) = match tail {
            ['-', last, after @ ..] => ((*first, *last), after),
            _ => ((*first, *first), tail),
        };
        if range.0 > range.1 {
            return None;
        }
        ranges.push(range);
        members = after;
    }
    Some(ranges)
}
