//! The sources that the data names, each with a key.

use std::collections::BTreeMap;

use crate::text;

/// Keys are given in the order of first use.
#[derive(Default)]
pub(crate) struct Sources {
    titles: Vec<String>,
    /// How many entries of which kind of data name a source.
    uses: BTreeMap<(usize, &'static str), usize>,
}

impl Sources {
    /// The keys of each source that `text` names, counted as `count` uses by `by`.
    pub(crate) fn keys(&mut self, text: &str, by: &'static str, count: usize) -> String {
        let keys = self.noted(text, by, count).into_iter().map(|at| format!("[S{}]", at + 1));
        keys.collect::<Vec<_>>().join(" ")
    }

    /// The same with the titles.
    pub(crate) fn titles(&mut self, text: &str, by: &'static str, count: usize) -> String {
        let noted = self.noted(text, by, count).into_iter();
        noted.map(|at| format!("[S{}] {}", at + 1, self.titles[at])).collect::<Vec<_>>().join("; ")
    }

    fn noted(&mut self, text: &str, by: &'static str, count: usize) -> Vec<usize> {
        let mut noted = Vec::new();
        for title in parts(text) {
            let at = self.titles.iter().position(|known| *known == title).unwrap_or_else(|| {
                self.titles.push(title);
                self.titles.len() - 1
            });
            *self.uses.entry((at, by)).or_default() += count;
            noted.push(at);
        }
        noted
    }

    pub(crate) fn write(&self, page: &mut String) {
        for (at, title) in self.titles.iter().enumerate() {
            let uses = self.uses.iter().filter(|((of, _), _)| *of == at);
            let uses: Vec<String> = uses.map(|((_, by), count)| format!("{by}: {count}")).collect();
            text::item(page, &text::plain(&format!("[S{}] {title} ({})", at + 1, uses.join(", "))));
        }
    }
}

/// Sources are separated by semicolons; what begins with "see" belongs to the one before it.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in text.split("; ") {
        match parts.last_mut() {
            Some(last) if part.starts_with("see ") => *last = format!("{last}; {part}"),
            _ => parts.push(part.to_owned()),
        }
    }
    parts
}
