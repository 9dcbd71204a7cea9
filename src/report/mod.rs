//! Reports: what a run led to, in the forms that people and programs read. One file for each form.

mod json;
mod text;
mod trace;
mod verdict;

pub use json::{RunReport, schema};
pub use text::{Detail, summary};
pub use trace::Trace;
pub use verdict::{ExpectationReport, Verdict};
