//! A suite: the expectations of many scenarios, each judged over several replications.

use std::fmt::Write;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::judgement::{Found, Judgement};
use super::verdict::{ExpectationReport, Verdict};
use crate::scenario::Scenario;

/// The expectations of one scenario over some replications.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// The scenario's file, as it was given.
    pub file: String,
    name: String,
    seed: String,
    replications: u32,
    expectations: Vec<Judgement>,
}

impl Case {
    /// Judges the expectations of a scenario. `runs` are those of each replication, in order.
    ///
    /// # Panics
    ///
    /// If there is no run.
    #[must_use]
    pub fn new(file: String, scenario: &Scenario, runs: &[Vec<ExpectationReport>]) -> Self {
        let judge = |position| {
            let found: Vec<Found> = runs.iter().map(|run| Found::of(&run[position])).collect();
            Judgement::new(&runs[0][position], &found)
        };
        Case {
            file,
            name: scenario.name().to_owned(),
            seed: scenario.seed().to_string(),
            replications: runs.len() as u32,
            expectations: (0..runs[0].len()).map(judge).collect(),
        }
    }

    /// The worst verdict; `None` if nothing is expected.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.expectations.iter().map(|judgement| judgement.result).max()
    }

    /// For people, a line for each expectation; of those that do not hold also the command that shows it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.file);
        for judgement in &self.expectations {
            let _ = writeln!(text, "  {:<13}{}: {}", judgement.result.name(), judgement.what, judgement.found());
            if let Some(replay) = self.replay(judgement) {
                let _ = writeln!(text, "  {:<13}{replay}", "");
            }
        }
        text
    }

    /// The command that shows what an expectation that does not hold found.
    fn replay(&self, judgement: &Judgement) -> Option<String> {
        let worst = judgement.worst?;
        let replication = if worst > 0 { format!(" --replication {worst}") } else { String::new() };
        Some(format!("mailslot-sim run {} --seed {}{replication}", shell_word(&self.file), self.seed))
    }
}

/// One line on how many expectations came to what.
#[must_use]
pub fn totals(cases: &[Case]) -> String {
    let judgements = || cases.iter().flat_map(|case| &case.expectations);
    let count = |verdict| judgements().filter(|judgement| judgement.result == verdict).count();
    let [hold, violated, open] = [Verdict::Holds, Verdict::Violated, Verdict::Inconclusive].map(count);
    let (scenarios, expectations) = (cases.len(), judgements().count());
    let plural = |count: usize, what| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (scenarios, expectations) = (plural(scenarios, "scenario"), plural(expectations, "expectation"));
    format!("{scenarios}, {expectations}: {hold} hold, {violated} violated, {open} inconclusive")
}

/// A table for the summary of a CI run.
#[must_use]
pub fn to_markdown(cases: &[Case]) -> String {
    let mut text = String::from("| scenario | expectation | found | |\n|---|---|---|---|\n");
    let cell = |text: &str| text.replace('\\', "\\\\").replace('|', "\\|").replace('\n', " ");
    for case in cases {
        for judgement in &case.expectations {
            let [file, what, found] = [&case.file, &judgement.what, &judgement.found()].map(|text| cell(text));
            let _ = writeln!(text, "| {file} | {what} | {found} | {} |", judgement.result.name());
        }
    }
    let _ = writeln!(text, "\n{}", totals(cases));
    text
}

/// As JSON, with a line feed at the end.
#[must_use]
pub fn to_json(cases: &[Case]) -> String {
    serde_json::to_string_pretty(cases).expect("a suite has a JSON form") + "\n"
}

/// As JUnit XML: a suite for each scenario, a case for each expectation. What is inconclusive is an error there.
#[must_use]
pub fn to_junit(cases: &[Case]) -> String {
    let mut report = Report::new("mailslot-sim");
    for case in cases {
        let mut suite = TestSuite::new(&case.file);
        for judgement in &case.expectations {
            let status = match judgement.result {
                Verdict::Holds => TestCaseStatus::success(),
                Verdict::Violated => TestCaseStatus::non_success(NonSuccessKind::Failure),
                Verdict::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
            };
            let mut test = TestCase::new(&judgement.what, status);
            test.set_classname(&case.name);
            if judgement.result != Verdict::Holds {
                test.status.set_message(format!("{}: {}", judgement.result.name(), judgement.found()));
                test.status.set_description(case.replay(judgement).unwrap_or_default());
            }
            suite.add_test_case(test);
        }
        report.add_test_suite(suite);
    }
    report.to_string().expect("a report has an XML form")
}

/// A text as one word of a POSIX shell.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
