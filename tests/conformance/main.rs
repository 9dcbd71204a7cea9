//! `docs/conformance.md` is made of the test data and of the comments in the source, so it cannot say more than they do.
//!
//! That the engine does what the data says is shown by `api_cases`, `vectors`, `recorded_calls` and `messages`; here it is
//! counted. `MAILSLOT_SIM_RENEW=1 cargo test --test conformance` writes the page anew.

mod choices;
mod data;
mod page;
mod sources;
#[path = "../support/mod.rs"]
mod support;
mod text;

use data::Data;

const PAGE: &str = "docs/conformance.md";
const RENEW: &str = "MAILSLOT_SIM_RENEW";

#[test]
fn the_committed_page_is_the_generated_one() {
    let generated = page::page(&Data::load(), &choices::all());
    if std::env::var_os(RENEW).is_some() {
        std::fs::write(PAGE, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(PAGE).unwrap_or_default();
    if !committed.lines().eq(generated.lines()) {
        let same = committed.lines().zip(generated.lines()).take_while(|(committed, generated)| committed == generated);
        let at = same.count();
        let line = |page: &str| page.lines().nth(at).unwrap_or("(the end)").to_owned();
        panic!(
            "{PAGE} is out of date from line {}:\n  committed: {}\n  generated: {}\nRead what changed, then renew it: {}",
            at + 1,
            line(&committed),
            line(&generated),
            page::COMMAND
        );
    }
}

/// Each entry of the data has its place on the page, and each once.
#[test]
fn nothing_is_missing_from_the_page() {
    let data = Data::load();
    let page = page::page(&data, &[]);
    let listed = |name: &str| page.matches(&format!("\n- `{name}`")).count();
    for case in &data.cases.cases {
        assert_eq!(listed(&case.id), 1, "API case {}", case.id);
    }
    for vector in &data.vectors {
        assert_eq!(listed(&vector.name), 1, "vector {}", vector.name);
    }
    let reasons = page.matches("`, row ").count() + page.matches("`, rows ").count();
    assert_eq!(reasons, data.reasons.len(), "a reason is of a kind that has no place");
    for reason in &data.reasons {
        for row in &reason.rows {
            let of_row =
                data.rows.iter().find(|it| it.n == *row).unwrap_or_else(|| panic!("row {row} is not recorded"));
            assert_eq!(of_row.op, reason.op, "row {row}");
            let reasons = data.reasons.iter().filter(|it| it.rows.contains(row)).count();
            assert_eq!(reasons, 1, "row {row}");
        }
    }
}
