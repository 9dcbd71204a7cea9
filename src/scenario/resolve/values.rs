//! Values in files of their own: patterns of losses, measured delays.

use super::Context;
use crate::scenario::problem::{Path, Step};
use crate::scenario::quantity::clipped;

/// The most bytes of all files with values together.
pub(super) const MAX_VALUE_BYTES: usize = 64 << 20;

impl Context<'_> {
    /// What the lines of a file say, one after another; comments from `#` on are left out. The first mistake is
    /// reported at `at`, with its line and column in the file. `read_line` says in which column, from 0, it is.
    pub(super) fn read_values<T>(
        &mut self,
        at: &Path,
        file: &str,
        read_line: impl Fn(&str) -> Result<Vec<T>, (usize, String)>,
    ) -> Option<Vec<T>> {
        let name = clipped(file);
        let bytes = match (self.read_file)(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.error(at.clone(), format!("cannot read `{name}`: {error}"));
                return None;
            }
        };
        self.value_bytes += bytes.len();
        if self.value_bytes > MAX_VALUE_BYTES {
            let message = format!("files of values have more than {MAX_VALUE_BYTES} bytes together (MAX_VALUE_BYTES)");
            self.error(at.clone(), message);
            return None;
        }
        let Ok(text) = String::from_utf8(bytes) else {
            self.error(at.clone(), format!("`{name}` is not text (UTF-8)"));
            return None;
        };
        let mut values = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default();
            match read_line(line) {
                Ok(more) => values.extend(more),
                Err((column, message)) => {
                    self.error(at.clone(), format!("`{name}`, line {number}, column {}: {message}", column + 1));
                    return None;
                }
            }
        }
        Some(values)
    }
}

/// The path of a key in the table at `at`.
pub(super) fn below(at: &Path, key: &str) -> Path {
    [&at[..], &[Step::from(key)]].concat()
}
