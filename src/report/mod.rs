//! Reports: what a run led to, in the forms that people and programs read, and a scenario's links in the words of other
//! programs. One file for each form.

mod apps;
mod explain;
mod json;
mod judgement;
mod names;
mod page;
mod pcapng;
mod scale;
pub mod study;
pub mod suite;
mod tc;
mod terminal;
mod text;
mod trace;
mod verdict;
mod wording;

pub use explain::{Explain, InvalidQuestion, Question};
pub use json::{RunReport, schema};
pub use page::run::RunPage;
pub use pcapng::Pcapng;
pub use tc::netem;
pub use text::{Detail, summary};
pub use trace::Trace;
pub use verdict::{ExpectationReport, Verdict};
