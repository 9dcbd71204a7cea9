//! The direction of dependence between the parts of the crate, kept by their `use` lines.

use std::fs;
use std::path::{Path, PathBuf};

/// Each part and the parts that it may use, apart from itself.
const MAY_USE: [(&str, &[&str]); 18] = [
    ("time", &[]),
    ("id", &[]),
    ("rng", &["id"]),
    ("draw", &["rng"]),
    ("wire", &[]),
    ("message", &["wire"]),
    ("app", &["time", "rng", "wire", "message"]),
    ("names", &["time", "wire"]),
    ("mailslot", &["time", "wire", "names"]),
    ("link", &["time", "id", "rng", "draw"]),
    ("net", &["time", "id", "rng", "link"]),
    ("stats", &["time", "id", "draw"]),
    ("scenario", &["time", "id", "wire", "message", "names", "mailslot", "link", "net", "stats"]),
    ("sim", &["time", "id", "rng", "wire", "message", "app", "names", "mailslot", "link", "net", "stats", "scenario"]),
    ("study", &["time", "id", "stats", "scenario", "sim"]),
    ("report", &["time", "id", "rng", "draw", "mailslot", "link", "net", "stats", "scenario", "sim", "study"]),
    ("drive", &["time", "id", "rng", "wire", "names", "mailslot", "link", "net", "stats", "scenario", "sim"]),
    ("cli", &["time", "wire", "message", "names", "mailslot", "scenario", "sim", "stats", "study", "report", "drive"]),
];

#[test]
fn parts_use_only_what_lies_below_them() {
    let mut seen = 0;
    for file in rust_files(Path::new("src")) {
        let part = part_of(&file);
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == part) else { continue };
        let text = fs::read_to_string(&file).unwrap();
        for used in text.match_indices("crate::").chain(text.match_indices("mailslot_sim::")) {
            let rest = &text[used.0 + used.1.len()..];
            let used: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let known = MAY_USE.iter().any(|(name, _)| *name == used);
            assert!(!known || used == part || allowed.contains(&used.as_str()), "{}: uses {used}", file.display());
            seen += usize::from(known);
        }
    }
    assert!(seen > 100, "{seen} uses seen");
}

/// Every use of another part is written `crate::PART`, where the test above sees it: no lists of parts in braces, and no way
/// up beyond the part itself.
#[test]
fn no_use_is_hidden() {
    for file in rust_files(Path::new("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let depth = file.strip_prefix("src").unwrap().components().count() - usize::from(file.ends_with("mod.rs"));
        for (number, line) in (1..).zip(text.lines()) {
            let place = || format!("{}:{number}: {line}", file.display());
            assert!(!line.contains("crate::{") && !line.contains("crate::*"), "{}", place());
            let nested = usize::from(line.starts_with(char::is_whitespace)); // inside `mod tests` and the like
            let ways_up = line.matches("super::").count();
            assert!(ways_up < depth + nested || ways_up == 0, "{}", place());
        }
    }
}

/// The clock, sockets and threads of the real world are known to `drive` and `cli` only, which features can leave out.
#[test]
fn only_drive_knows_the_real_world() {
    for file in rust_files(Path::new("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for word in ["tokio", "turmoil", "socket2", "if_addrs", "futures_core"] {
            let uses = code.iter().any(|line| line.contains(&format!("{word}::")));
            assert!(!uses || ["drive", "cli"].contains(&part_of(&file).as_str()), "{}: uses {word}", file.display());
        }
    }
}

/// Every file is in a part, and no part is missing from the list above.
#[test]
fn every_file_belongs_to_a_part() {
    for file in rust_files(Path::new("src")) {
        let part = part_of(&file);
        let known = MAY_USE.iter().any(|(name, _)| *name == part) || ["lib", "main"].contains(&part.as_str());
        assert!(known, "{} belongs to no part", file.display());
    }
}

/// Files are short enough to be read in one sitting.
#[test]
fn no_file_is_over_600_lines() {
    for folder in ["src", "tests", "benches"] {
        for file in rust_files(Path::new(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 600, "{} has {lines} lines", file.display());
        }
    }
}

/// The first name below src/: a folder, or a file's name without its ending.
fn part_of(file: &Path) -> String {
    let below = file.strip_prefix("src").unwrap();
    Path::new(below.components().next().unwrap().as_os_str()).file_stem().unwrap().to_string_lossy().into_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
