//! Markdown that is read as text too: lists and paragraphs in lines of a width, tables whose columns stand in line.

const WIDTH: usize = 120;

/// A paragraph, with an empty line behind it.
pub(crate) fn paragraph(page: &mut String, text: &str) {
    wrap(page, "", text);
    page.push('\n');
}

/// One entry of a list.
pub(crate) fn item(page: &mut String, text: &str) {
    wrap(page, "- ", text);
}

pub(crate) fn heading(page: &mut String, level: usize, text: &str) {
    *page += &format!("{} {text}\n\n", "#".repeat(level));
}

/// A table, with an empty line behind it; columns of numbers stand to the right.
pub(crate) fn table<const N: usize>(page: &mut String, heads: [&str; N], rows: &[[String; N]]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].as_str());
        cells.chain([heads[column], "---"]).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let is_number = |column: usize| rows.iter().all(|row| row[column].chars().all(|letter| letter.is_ascii_digit()));
    let line = |cells: [&str; N]| {
        let cells = cells.iter().enumerate().map(|(column, cell)| match (is_number(column), width(column)) {
            (true, width) => format!(" {cell:>width$} |"),
            (false, width) => format!(" {cell:<width$} |"),
        });
        format!("|{}\n", cells.collect::<String>())
    };
    *page += &line(heads);
    let rules = (0..N).map(|column| match (is_number(column), width(column)) {
        (true, width) => format!(" {}: |", "-".repeat(width - 1)),
        (false, width) => format!(" {} |", "-".repeat(width)),
    });
    *page += &format!("|{}\n", rules.collect::<String>());
    for row in rows {
        *page += &line(std::array::from_fn(|column| row[column].as_str()));
    }
    page.push('\n');
}

/// Numbers in order, runs of three and more as "5 to 9".
pub(crate) fn ranges(numbers: &[u64]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let run = |(first, last): (u64, u64)| match last - first {
        0 => format!("{first}"),
        1 => format!("{first}, {last}"),
        _ => format!("{first} to {last}"),
    };
    runs.into_iter().map(run).collect::<Vec<_>>().join(", ")
}

/// Words that Markdown would take for markup become code.
pub(crate) fn plain(text: &str) -> String {
    let mut in_code = false;
    let word = |word: &str| {
        let was_in_code = in_code;
        in_code ^= word.matches('`').count() % 2 == 1;
        let is_markup = word.contains(['\\', '*', '<']) || word.starts_with("__");
        if was_in_code || word.contains('`') || !is_markup {
            return word.to_owned();
        }
        let core = word.trim_start_matches('(').trim_end_matches([')', ',', ';', ':', '.']);
        let (before, after) = word.split_once(core).expect("the core is part of the word");
        format!("{before}`{core}`{after}")
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn wrap(page: &mut String, bullet: &str, text: &str) {
    let mut line = bullet.to_owned();
    let mut is_empty = true;
    for unit in units(text) {
        if !is_empty && line.chars().count() + 1 + unit.chars().count() > WIDTH {
            *page += &line;
            page.push('\n');
            line = " ".repeat(bullet.len());
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line += &unit;
        is_empty = false;
    }
    *page += &line;
    page.push('\n');
}

/// The words of a text, each with those behind it that must not begin a line, since they would begin a list or heading.
fn units(text: &str) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let is_number = word.trim_end_matches(['.', ')']).chars().all(|letter| letter.is_ascii_digit());
        let is_marker = (is_number && word.ends_with(['.', ')'])) || ["+", "-", "*", "=", "#", ">"].contains(&word);
        match units.last_mut() {
            Some(unit) if is_marker => *unit = format!("{unit} {word}"),
            _ => units.push(word.to_owned()),
        }
    }
    units
}

#[test]
fn no_line_begins_with_what_would_be_markup() {
    let mut page = String::new();
    let long = format!("{} + {} 12. {}", "a".repeat(110), "b".repeat(110), "c".repeat(110));
    item(&mut page, &long);
    assert_eq!(page, format!("- {} +\n  {} 12.\n  {}\n", "a".repeat(110), "b".repeat(110), "c".repeat(110)));
    assert_eq!(
        plain(r"to \\*\mailslot\a, of <1D>: `a \* b` (x<00>)"),
        r"to `\\*\mailslot\a`, of `<1D>`: `a \* b` (`x<00>`)"
    );
    assert_eq!(ranges(&[1, 2, 4, 6, 7, 8]), "1, 2, 4, 6 to 8");
}
