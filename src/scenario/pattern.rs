//! Host patterns: `STATION{01..12}` stands for twelve names.

/// The names that a text stands for: itself, or one for each number of the range in braces, with the same number of
/// digits.
///
/// `limit` bounds how many there may be.
pub(super) fn expand(text: &str, limit: usize) -> Result<Vec<String>, String> {
    let Some((before, rest)) = text.split_once('{') else {
        return if text.contains('}') { Err(wrong(text)) } else { Ok(vec![text.to_owned()]) };
    };
    let (range, after) = rest.split_once('}').ok_or_else(|| wrong(text))?;
    let (first, last) = range.split_once("..").ok_or_else(|| wrong(text))?;
    if after.contains(['{', '}']) {
        return Err(wrong(text));
    }
    let number = |digits: &str| {
        let well_formed =
            !digits.is_empty() && digits.len() <= MAX_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse::<usize>().ok().filter(|_| well_formed).ok_or_else(|| wrong(text))
    };
    let (from, to) = (number(first)?, number(last)?);
    if from > to {
        return Err(format!("the range of `{text}` ends before it starts"));
    }
    if to - from >= limit {
        return Err(format!("`{text}` stands for {} names; the limit is {limit}", to - from + 1));
    }
    let width = first.len();
    Ok((from..=to).map(|number| format!("{before}{number:0width$}{after}")).collect())
}

fn wrong(text: &str) -> String {
    format!("`{text}` is not a name or a pattern like `STATION{{01..12}}`")
}

const MAX_DIGITS: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_keep_their_digits() {
        assert_eq!(expand("CTRL", 10).unwrap(), ["CTRL"]);
        assert_eq!(expand("S{08..11}X", 10).unwrap(), ["S08X", "S09X", "S10X", "S11X"]);
        assert_eq!(expand("S{9..10}", 10).unwrap(), ["S9", "S10"]);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["S{", "S}", "S{1}", "S{1..}", "S{a..b}", "S{1..2}{3..4}", "S{-1..2}", "S{1...3}"] {
            assert!(expand(bad, 10).unwrap_err().contains("pattern like"), "{bad}");
        }
        assert!(expand("S{2..1}", 10).unwrap_err().contains("ends before"));
        assert!(expand("S{1..11}", 10).unwrap_err().contains("limit is 10"));
        assert!(expand("S{0..999999999}", 10).is_err());
    }
}
