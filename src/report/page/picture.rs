//! A picture: SVG, as part of a page or as a file of its own.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

use crate::study::OWN_FIGURE;

/// What is drawn, in units that are pixels at its natural size.
pub(super) struct Picture {
    /// What it shows, in a few words.
    pub(super) title: String,
    /// In a few sentences, for those who cannot see it.
    pub(super) description: String,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) body: Markup,
}

impl Picture {
    /// In a page, where the element with the ID `name` has its title. `body` is drawn in its place if the page has more to say.
    pub(super) fn inline(&self, name: &str) -> Markup {
        let view = format!("0 0 {} {}", number(self.width), number(self.height));
        html! {
            svg viewBox=(view) role="group" aria-labelledby=(name) aria-describedby=(format!("{name}-d")) {
                desc id=(format!("{name}-d")) { (self.description) }
                (self.body)
            }
        }
    }

    /// As a file, with its title above.
    pub(super) fn file(&self) -> String {
        let heading = lines(&self.title, ((self.width - 16.0) / TITLE_LETTER) as usize);
        let above = TITLE_ROW * heading.len() as f64 + 12.0;
        let (width, height) = (number(self.width), number(self.height + above));
        let body = html! {
            title { (self.title) }
            desc { (self.description) }
            style { (PreEscaped(STYLE)) }
            defs { (PreEscaped(SYMBOLS)) }
            rect.paper width=(width) height=(height) {}
            @for (number, line) in (1..).zip(heading) { text.title x="8" y=(f64::from(number) * TITLE_ROW) { (line) } }
            g transform=(format!("translate(0 {})", number(above))) { (self.body) }
        };
        let size = format!("viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\"");
        let body = clean(&body.into_string());
        format!("{OWN_FIGURE} {size} role=\"img\">{body}</svg>\n")
    }
}

/// A sign in a legend, and what it stands for.
pub(super) struct Key {
    /// The sign, drawn in a box of 30 by 12 units.
    pub(super) sign: Markup,
    pub(super) label: String,
}

/// Rows of signs below a picture of this width, and how high they are. What they are about comes first.
pub(super) fn legend(about: &str, keys: &[Key], width: f64, top: f64) -> (Markup, f64) {
    let about = clipped(about, MAX_LABEL);
    let (mut x, mut y) = (LEGEND + text_width(&about) * BOLD + GAP, top);
    let mut placed = Vec::new();
    for key in keys {
        let label = clipped(&key.label, MAX_KEY);
        let wide = SIGN + text_width(&label) + GAP;
        if x + wide > width && x > LEGEND + GAP {
            (x, y) = (LEGEND + GAP, y + ROW);
        }
        placed.push((x, y, &key.sign, label));
        x += wide;
    }
    let body = html! {
        text.about x=(LEGEND) y=(number(top + BASE)) { (about) }
        @for (x, y, sign, label) in placed {
            g transform=(format!("translate({} {})", number(x), number(y))) { (sign) text x=(SIGN - 6.0) y=(BASE) { (label) } }
        }
    };
    (body, y + ROW - top)
}

/// A line through places; it is broken where one is missing.
pub(super) fn path(places: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    let (mut text, mut command) = (String::new(), 'M');
    for place in places {
        let Some((x, y)) = place else {
            command = 'M';
            continue;
        };
        let _ = write!(text, "{command}{} {}", number(x), number(y));
        command = 'L';
    }
    text
}

/// A place in the picture, to a tenth.
pub(super) fn number(place: f64) -> String {
    let text = format!("{place:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A text, or its beginning.
pub(super) fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// A text without the characters that no file of XML may have (XML 1.0, production 2), nor one of HTML.
pub(super) fn clean(text: &str) -> String {
    let is_banned = |c: char| matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}');
    text.chars().map(|c| if is_banned(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A text in at most two lines of so many letters.
fn lines(text: &str, most: usize) -> Vec<String> {
    let text = clipped(text, 2 * most);
    if text.chars().count() <= most {
        return vec![text];
    }
    let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
    let (first, rest) = text.split_at(text[..end].rfind(' ').unwrap_or(end));
    vec![first.to_owned(), clipped(rest.trim_start(), most)]
}

/// How wide a text is, about.
pub(super) fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

/// The rules for pictures, in pages and in files.
pub(super) const STYLE: &str = include_str!("picture.css");
/// What pictures use by its ID.
pub(super) const SYMBOLS: &str = include_str!("symbols.svg");
/// The longest label of a sign.
const MAX_KEY: usize = 24;
/// The longest label of a value.
pub(super) const MAX_LABEL: usize = 14;
/// The width of a letter, about.
pub(super) const LETTER: f64 = 7.6;
/// How much wider a bold letter is.
const BOLD: f64 = 1.1;
/// The width of a letter of a title, and the height of its lines.
const TITLE_LETTER: f64 = 8.6;
const TITLE_ROW: f64 = 20.0;
/// Where legends begin.
const LEGEND: f64 = 8.0;
/// A row of a legend, its base line, the width of a sign with the room behind it, and the room between labels.
const ROW: f64 = 18.0;
const BASE: f64 = 11.0;
const SIGN: f64 = 42.0;
const GAP: f64 = 10.0;
