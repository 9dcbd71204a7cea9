//! Studies from outside: what they run, what they leave behind, and what they refuse.

mod folder;
mod laws;
mod page;
#[path = "../support/pages.rs"]
mod pages;
mod problems;
mod run;
mod shipped;
mod slurm;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// The scenario of most tests: two axes, five points, ten replications.
const GRID: &str = include_str!("grid.toml");

/// A folder with `grid.toml` in it, and what commands did there.
struct Desk {
    folder: TempDir,
}

/// Exit code, stdout and stderr.
struct Done {
    exit: i32,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        Self::with(GRID)
    }

    fn with(scenario: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("grid.toml"), scenario).unwrap();
        Desk { folder }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program there.
    fn run(&self, arguments: &[&str]) -> Done {
        let mut command = Command::cargo_bin("mailslot-sim").unwrap();
        let output = command.current_dir(self.folder.path()).args(arguments).output().unwrap();
        Done::of(output)
    }

    /// Runs the program where other programs are looked for in `path` only.
    fn with_path(&self, path: &str, arguments: &[&str]) -> Done {
        let mut command = Command::cargo_bin("mailslot-sim").unwrap();
        let output = command.current_dir(self.folder.path()).env("PATH", path).args(arguments).output().unwrap();
        Done::of(output)
    }

    /// Runs the study into a folder; more arguments come behind.
    fn study(&self, out: &str, more: &[&str]) -> Done {
        self.run(&[&["study", "grid.toml", "--out", out], more].concat())
    }

    /// All files below a folder but timing.json, with their bytes.
    fn files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path(name), "", &mut files);
        files.remove("timing.json");
        files
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

impl Done {
    fn of(output: std::process::Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { exit: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Checks the exit code.
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.exit, code, "{}{}", self.out, self.err);
        self
    }

    /// Checks that stderr has these words.
    fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not in:\n{}", self.err);
        }
        self
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}
