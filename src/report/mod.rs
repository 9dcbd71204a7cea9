//! Reports: what a run led to, in the forms that people and programs read. One file for each form.

mod json;
mod text;
mod trace;

pub use json::{ExpectationReport, RunReport, Verdict, schema};
pub use text::{Detail, summary};
pub use trace::Trace;
