//! `new`: a scenario to start from.

use std::path::{Path, PathBuf};

use mailslot_sim::scenario;

use super::output::{failed, message, print, write_file};
use super::{Exit, Global};

/// Writes a commented scenario to start from.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where to; without it, or with -, to stdout. An existing file is not overwritten.
    file: Option<PathBuf>,
}

/// Writes the template.
pub(super) fn main(arguments: &Arguments, global: &Global) -> Exit {
    let written = match arguments.file.as_deref() {
        None => print(scenario::TEMPLATE),
        Some(path) if path == Path::new("-") => print(scenario::TEMPLATE),
        Some(path) if path.exists() => Err(failed(
            &path.display().to_string(),
            &std::io::Error::other("it exists; remove it or choose another name"),
        )),
        Some(path) => write_file(path, scenario::TEMPLATE).map(|()| {
            if !global.quiet {
                let name = path.display().to_string();
                let word = if name.contains(char::is_whitespace) { format!("{name:?}") } else { name };
                message(&format!("wrote {word}; run it with: mailslot-sim run {word}"));
            }
        }),
    };
    written.map_or_else(|exit| exit, |()| Exit::Success)
}
