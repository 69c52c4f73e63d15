//! Two texts beside each other or in one, with the lines that differ marked.

/// Both texts in columns; lines that are only in one of them are marked with `!`.
pub(super) fn side_by_side(left_title: &str, left: &str, right_title: &str, right: &str) -> String {
    let widest = left.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = widest.clamp(left_title.len(), 90);
    let row = |mark: char, left: &str, right: &str| format!("{mark} {left:width$} | {right}\n");
    let rows = pairs(left, right).into_iter().map(|(left, right)| {
        let mark = if left == right { ' ' } else { '!' };
        row(mark, left.unwrap_or_default(), right.unwrap_or_default())
    });
    row(' ', left_title, right_title) + &rows.collect::<String>()
}

/// Both texts in one, lines that are only in the first marked with `-`, in the second with `+`.
pub(super) fn changes(first: &str, second: &str) -> String {
    let line = |mark: char, line: &str| format!("{mark} {line}").trim_end().to_owned() + "\n";
    let (mut text, mut added) = (String::new(), String::new());
    for (left, right) in pairs(first, second) {
        if left == right {
            text += &std::mem::take(&mut added);
            text += &line(' ', left.unwrap_or_default());
            continue;
        }
        text.extend(left.map(|left| line('-', left)));
        added.extend(right.map(|right| line('+', right)));
    }
    text + &added
}

/// The lines of two texts, equal ones beside each other.
fn pairs<'a>(left: &'a str, right: &'a str) -> Vec<(Option<&'a str>, Option<&'a str>)> {
    let (left, right): (Vec<_>, Vec<_>) = (left.lines().collect(), right.lines().collect());
    let common = common_lengths(&left, &right);
    let mut pairs = Vec::new();
    let (mut l, mut r) = (0, 0);
    loop {
        let (a, b) = (left.get(l).copied(), right.get(r).copied());
        pairs.push(match (a, b) {
            (None, None) => return pairs,
            (Some(a), Some(b)) if a == b || common[l + 1][r + 1] == common[l][r] => {
                (l, r) = (l + 1, r + 1);
                (Some(a), Some(b))
            }
            (Some(a), b) if b.is_none() || common[l + 1][r] == common[l][r] => {
                l += 1;
                (Some(a), None)
            }
            (_, b) => {
                r += 1;
                (None, b)
            }
        });
    }
}

/// The length of the longest common subsequence of every pair of tails.
fn common_lengths(left: &[&str], right: &[&str]) -> Vec<Vec<usize>> {
    let mut common = vec![vec![0; right.len() + 1]; left.len() + 1];
    for l in (0..left.len()).rev() {
        for r in (0..right.len()).rev() {
            common[l][r] = match left[l] == right[r] {
                true => common[l + 1][r + 1] + 1,
                false => common[l + 1][r].max(common[l][r + 1]),
            };
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::{changes, side_by_side};

    #[test]
    fn equal_lines_stand_beside_each_other() {
        let columns = side_by_side("theirs", "a\nb\nc\nd", "ours", "a\nc\nx\ny");
        let expected = "  theirs | ours\n  a      | a\n! b      | \n  c      | c\n! d      | x\n!        | y\n";
        assert_eq!(columns, expected);
    }

    #[test]
    fn what_is_gone_stands_before_what_came() {
        assert_eq!(changes("a\nb\nc\nd", "a\nx\ny\nd"), "  a\n- b\n- c\n+ x\n+ y\n  d\n");
        assert_eq!(changes("", "a\n\n"), "+ a\n+\n");
    }
}
