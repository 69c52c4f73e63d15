//! Two texts side by side, with the lines that differ marked.

/// Both texts in columns; lines that are only in one of them are marked with `!`.
pub(super) fn side_by_side(left_title: &str, left: &str, right_title: &str, right: &str) -> String {
    let (left, right): (Vec<_>, Vec<_>) = (left.lines().collect(), right.lines().collect());
    let widest = left.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = widest.clamp(left_title.len(), 90);
    let row = |mark: char, left: &str, right: &str| format!("{mark} {left:width$} | {right}\n");
    let common = common_lengths(&left, &right);
    let mut text = row(' ', left_title, right_title);
    let (mut l, mut r) = (0, 0);
    loop {
        text += &match (left.get(l), right.get(r)) {
            (None, None) => return text,
            (Some(a), Some(b)) if a == b => {
                (l, r) = (l + 1, r + 1);
                row(' ', a, b)
            }
            (Some(a), Some(b)) if common[l + 1][r + 1] == common[l][r] => {
                (l, r) = (l + 1, r + 1);
                row('!', a, b)
            }
            (Some(a), b) if b.is_none() || common[l + 1][r] == common[l][r] => {
                l += 1;
                row('!', a, "")
            }
            (_, b) => {
                r += 1;
                row('!', "", b.unwrap_or(&""))
            }
        }
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
    use super::side_by_side;

    #[test]
    fn equal_lines_stand_beside_each_other() {
        let columns = side_by_side("theirs", "a\nb\nc\nd", "ours", "a\nc\nx\ny");
        let expected = "  theirs | ours\n  a      | a\n! b      | \n  c      | c\n! d      | x\n!        | y\n";
        assert_eq!(columns, expected);
    }
}
