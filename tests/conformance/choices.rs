//! What the comments of the source say is a choice: constants with their values, and sentences about the rest.
//!
//! A comment says so with the word "choice", wherever it stands. The files are read line by line, as rustfmt leaves them.

use std::fs;
use std::path::{Path, PathBuf};

/// Where every public constant is a choice, whatever its comment says.
const ALL_CHOICES: &str = "mailslot::choices";

pub(crate) struct Choice {
    /// The path of the module in the crate.
    pub(crate) module: String,
    /// The constant, or the item that the sentence is about, in its module; none if it is about the module.
    pub(crate) item: Option<String>,
    /// What a constant is set to, as it is written.
    pub(crate) value: Option<String>,
    /// The comment of a constant; the sentence about another item.
    pub(crate) text: String,
}

/// All choices, in the order of modules and lines.
pub(crate) fn all() -> Vec<Choice> {
    sources().iter().flat_map(|(module, text)| in_file(module, text)).collect()
}

/// Each file of the crate: the path of its module, its text.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(Path::new("src"), &mut files);
    let module = |file: &Path| {
        let below = file.strip_prefix("src").unwrap().with_extension("");
        let parts = below.iter().map(|part| part.to_str().unwrap());
        let parts: Vec<&str> = parts.filter(|part| !["mod", "lib"].contains(part)).collect();
        if parts.is_empty() { "crate".to_owned() } else { parts.join("::") }
    };
    let mut sources: Vec<(String, String)> =
        files.iter().map(|file| (module(file), fs::read_to_string(file).unwrap())).collect();
    sources.sort();
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn in_file(module: &str, text: &str) -> Vec<Choice> {
    let lines: Vec<&str> = text.lines().collect();
    let mut choices = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let start = at;
        at += 1;
        let Some((kind, first)) = comment(lines[start]) else { continue };
        let mut paragraphs = vec![vec![first]];
        while let Some((_, more)) = lines.get(at).and_then(|line| comment(line)).filter(|(next, _)| *next == kind) {
            if kind == Kind::Trailing {
                break;
            }
            match more {
                "" => paragraphs.push(Vec::new()),
                more => paragraphs.last_mut().unwrap().push(more),
            }
            at += 1;
        }
        let paragraphs: Vec<String> = paragraphs.iter().map(|lines| unlinked(&lines.join(" "))).collect();
        let about = if kind == Kind::Trailing { start } else { code_from(&lines, at) };
        let declared = lines.get(about).and_then(|line| declaration(line));
        let choice = |item, value, text| Choice { module: module.to_owned(), item, value, text };
        match declared {
            Some((Keyword::Const, name)) if kind != Kind::Module => {
                let all_are = module == ALL_CHOICES && lines[about].starts_with("pub const");
                if all_are || paragraphs.iter().any(|text| mentions(text) > 0) {
                    let item = within(&lines, about, Some(name));
                    choices.push(choice(item, Some(value(&lines[about..])), paragraphs.join(" ")));
                }
            }
            _ => {
                let item = match kind {
                    Kind::Module => None,
                    Kind::Doc | Kind::Trailing => within(&lines, about, declared.map(|(_, name)| name)),
                    Kind::Code => within(&lines, start, None),
                };
                let is_head = kind == Kind::Module && module == ALL_CHOICES; // it speaks of the constants below it
                let said = paragraphs.iter().flat_map(|paragraph| said_to_be_choices(paragraph));
                choices.extend(said.filter(|_| !is_head).map(|text| choice(item.clone(), None, text)));
            }
        }
    }
    choices
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// `//!`
    Module,
    /// `///` or `#[doc = ""]`
    Doc,
    /// `//`
    Code,
    /// Behind code.
    Trailing,
}

fn comment(line: &str) -> Option<(Kind, &str)> {
    let trimmed = line.trim();
    let starts = [("//!", Kind::Module), ("///", Kind::Doc), ("#[doc = \"", Kind::Doc), ("//", Kind::Code)];
    if let Some((text, kind)) = starts.iter().find_map(|(start, kind)| Some((trimmed.strip_prefix(start)?, *kind))) {
        return Some((kind, text.trim_end_matches("\"]").trim()));
    }
    trimmed.split_once("// ").map(|(_, text)| (Kind::Trailing, text))
}

/// The first line from `at` on that is neither empty nor a comment nor of an attribute.
fn code_from(lines: &[&str], mut at: usize) -> usize {
    let mut in_attribute = false;
    while let Some(line) = lines.get(at).map(|line| line.trim()) {
        in_attribute |= line.starts_with("#[");
        let is_comment = comment(line).is_some_and(|(kind, _)| kind != Kind::Trailing);
        if !in_attribute && !line.is_empty() && !is_comment {
            break;
        }
        in_attribute &= !line.ends_with(']');
        at += 1;
    }
    at
}

#[derive(Clone, Copy, PartialEq)]
enum Keyword {
    Const,
    /// Others can be in it.
    Holds,
    /// Fields and variants.
    Other,
}

/// What a line declares, and its name; of an `impl` the type's.
fn declaration(line: &str) -> Option<(Keyword, &str)> {
    let line = line.trim();
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) if rest.starts_with(' ') => rest.trim_start(),
        _ => line,
    };
    let name = |text: &'static str| line.strip_prefix(text).map(identifier).filter(|name| !name.is_empty());
    if let Some(rest) = line.strip_prefix("impl") {
        let rest = rest.split_once(" for ").map_or(rest, |(_, subject)| subject);
        let rest = if rest.starts_with('<') { rest.split_once("> ")?.1 } else { rest.trim_start() };
        return Some((Keyword::Holds, identifier(rest)));
    }
    for keyword in ["const fn ", "fn ", "struct ", "enum ", "trait ", "type ", "mod "] {
        if let Some(name) = name(keyword) {
            return Some((Keyword::Holds, name));
        }
    }
    if let Some(name) = name("const ").or(name("static ")) {
        return Some((Keyword::Const, name));
    }
    let name = identifier(line);
    let rest = &line[name.len()..];
    let declares = [":", ",", "(", " {", " ="].iter().any(|mark| rest.starts_with(mark)) && !rest.starts_with("::");
    (!name.is_empty() && declares).then_some((Keyword::Other, name))
}

fn identifier(text: &str) -> &str {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next().unwrap_or("")
}

/// The items that line `at` is in, by indentation, and the one that it declares.
fn within(lines: &[&str], at: usize, name: Option<&str>) -> Option<String> {
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let mut path: Vec<&str> = name.into_iter().collect();
    let mut depth = lines.get(at).map_or(0, |line| indentation(line));
    for line in lines[..at.min(lines.len())].iter().rev() {
        let is_outside = !line.trim().is_empty() && indentation(line) < depth && comment(line).is_none();
        if let Some((Keyword::Holds, name)) = declaration(line).filter(|_| is_outside) {
            path.insert(0, name);
            depth = indentation(line);
        }
    }
    (!path.is_empty()).then(|| path.join("::"))
}

/// What stands behind the equals sign, up to the semicolon.
fn value(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        text = format!("{text} {}", line.trim());
        if line.ends_with(';') || line.contains("; //") {
            break;
        }
    }
    let written = text.split_once(" = ").map_or(text.as_str(), |(_, value)| value);
    written.rsplit_once(';').map_or(written, |(value, _)| value).to_owned()
}

/// Each sentence that says "choice"; where its beginning speaks of the one before it, with that.
fn said_to_be_choices(paragraph: &str) -> Vec<String> {
    let sentences = sentences(paragraph);
    let needs_more = |sentence: &str| ["A choice", "It "].iter().any(|start| sentence.starts_with(start));
    let said = sentences.iter().enumerate().filter(|(_, sentence)| mentions(sentence) > 0);
    said.map(|(at, sentence)| match sentences[..at].last() {
        Some(before) if needs_more(sentence) && mentions(before) == 0 => format!("{before} {sentence}"),
        _ => (*sentence).to_owned(),
    })
    .collect()
}

fn sentences(paragraph: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (at, _) in paragraph.match_indices(". ") {
        let next = paragraph[at + 2..].chars().next();
        if next.is_some_and(|letter| letter.is_uppercase() || ['`', '[', '('].contains(&letter)) {
            sentences.push(&paragraph[start..=at]);
            start = at + 2;
        }
    }
    sentences.push(&paragraph[start..]);
    sentences
}

/// How often a text says "choice".
fn mentions(text: &str) -> usize {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.filter(|word| ["choice", "choices"].contains(&word.to_lowercase().as_str())).count()
}

/// Links of rustdoc lead nowhere else: only their text is left.
fn unlinked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("[`") {
        let Some((name, after)) = link.split_once("`]") else { break };
        out += &format!("{before}`{name}`");
        rest = match after.strip_prefix('(').and_then(|target| target.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    out + rest
}

/// Counted another way, with no eye to items and sentences: no comment that says "choice" is left out.
#[test]
fn nothing_said_to_be_a_choice_is_missing() {
    let mut seen = 0;
    for (module, text) in sources() {
        let is_head = |line: &str| module == ALL_CHOICES && line.starts_with("//!"); // it speaks of what is listed
        let comments = text.lines().filter(|line| !is_head(line)).filter_map(|line| {
            let attribute = line.trim().strip_prefix("#[doc = ");
            attribute.or(line.split_once("//").map(|(_, comment)| comment))
        });
        let said: usize = comments.map(|comment| mentions(&comment.replace("choices::", ""))).sum();
        let listed: usize = in_file(&module, &text).iter().map(|choice| mentions(&choice.text)).sum();
        assert_eq!(listed, said, "{module}: so often is \"choice\" listed, and so often said");
        seen += said;
        assert!(!text.contains("/*"), "{module}: block comments are not read");
    }
    assert!(seen > 30, "{seen} seen");
}

#[test]
fn choices_are_found_wherever_they_stand() {
    let text = r#"
//! The head. Order is a choice.

/// How many: a choice, see
/// [`Other`](super::Other). More.
#[allow(
    dead_code,
)]
pub const MOST: [u8; 2] =
    [1, 2];

/// Chosen by the RFC.
const LEAST: u8 = 1;

impl<T: Copy> Show for Thing<T> {
    const KEPT: u8 = 3; // a choice

    /// What it does (RFC 1.2). A choice: no other way is known.
    ///
    /// Nothing more.
    pub(super) fn show(
        &self,
    ) -> u8 {
        // Both would do. The first is a choice. See there.
        1
    }
}

enum Fault {
    /// A choice.
    #[error("{0} [odd")]
    Odd(u8),
    #[doc = "Why it ends is a choice."]
    End,
}
"#;
    let found: Vec<String> = in_file("a::b", text)
        .iter()
        .map(|it| format!("{} | {} | {}", it.item.as_deref().unwrap_or(""), it.value.as_deref().unwrap_or(""), it.text))
        .collect();
    let expected = [
        " |  | Order is a choice.",
        "MOST | [1, 2] | How many: a choice, see `Other`. More.",
        "Thing::KEPT | 3 | a choice",
        "Thing::show |  | What it does (RFC 1.2). A choice: no other way is known.",
        "Thing::show |  | The first is a choice.",
        "Fault::Odd |  | A choice.",
        "Fault::End |  | Why it ends is a choice.",
    ];
    assert_eq!(found, expected);
    // Where all constants are choices, those without the word are too; the compiler asks for a comment.
    let text = "/// Of the RFC.\npub const A: u8 = 1;\n/// Of nobody.\nconst B: u8 = 3;\n";
    let found: Vec<String> = in_file(ALL_CHOICES, text).into_iter().filter_map(|choice| choice.item).collect();
    assert_eq!(found, ["A"]);
}
