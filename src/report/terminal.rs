//! What a terminal can show beside letters: bars, and colour where it helps.

use anstyle::{AnsiColor, Style};

/// What is as it should be.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// What is lost, or violated.
pub(super) const BAD: Style = AnsiColor::Red.on_default();

/// A bar that fills this share of `width` columns, to an eighth of a column; what is more than nothing shows.
pub(super) fn bar(share: f64, width: usize) -> String {
    let most = width * 8;
    let eighths = (share * most as f64).round() as usize;
    let eighths = if share > 0.0 { eighths.clamp(1, most) } else { 0 };
    let part = EIGHTHS[eighths % 8];
    std::iter::repeat_n('█', eighths / 8).chain(part).collect()
}

/// A text, the first place of a part of which has a style.
pub(super) fn painted(text: &str, part: &str, style: Style) -> String {
    match text.split_once(part).filter(|_| !part.is_empty()) {
        Some((before, after)) => format!("{before}{style}{part}{style:#}{after}"),
        None => text.to_owned(),
    }
}

/// Parts of a column, from none to seven eighths.
const EIGHTHS: [Option<char>; 8] = [None, Some('▏'), Some('▎'), Some('▍'), Some('▌'), Some('▋'), Some('▊'), Some('▉')];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_shares() {
        for (share, shown) in
            [(0.0, ""), (1e-9, "▏"), (0.125, "▌"), (0.5, "██"), (0.75, "███"), (0.8, "███▎"), (1.0, "████")]
        {
            assert_eq!(bar(share, 4), shown, "{share}");
        }
    }

    #[test]
    fn only_the_part_is_painted() {
        assert_eq!(painted("a bar here", "bar", GOOD), "a \u{1b}[32mbar\u{1b}[0m here");
        assert_eq!(painted("cut off", "bar", GOOD), "cut off");
        assert_eq!(painted("nothing", "", GOOD), "nothing");
    }
}
