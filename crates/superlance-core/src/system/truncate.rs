//! The beginning and the end of a text, without cutting a character. Pure.

/// At most so many bytes from the beginning of `text`.
#[must_use]
pub fn beginning(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// At most so many bytes from the end of `text`.
#[must_use]
pub fn end(text: &str, bytes: usize) -> &str {
    let start = text.len().saturating_sub(bytes);
    let start = (start..=text.len()).find(|start| text.is_char_boundary(*start));
    text.get(start.unwrap_or_default()..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_is_cut() {
        let text = "aé€z";
        let beginnings = ["", "a", "a", "aé", "aé", "aé", "aé€", "aé€z", "aé€z"];
        let ends = ["", "z", "z", "z", "€z", "€z", "é€z", "aé€z", "aé€z"];
        for (bytes, (first, last)) in beginnings.into_iter().zip(ends).enumerate() {
            assert_eq!((beginning(text, bytes), end(text, bytes)), (first, last), "{bytes}");
        }
    }
}
