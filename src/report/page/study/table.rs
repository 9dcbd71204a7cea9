//! The table of a page: a row for each point with its main figures. What charts show beside the pointer is taken from it.

use maud::{Markup, html};

use super::data::{Entry, Figure};
use super::grid::Row;
use crate::report::suite::shell_word;
use crate::report::wording::six_digits;
use crate::time::Duration;

/// The columns of a table.
pub(super) struct Columns<'a>(Vec<Group<'a>>);

/// Columns that belong together.
struct Group<'a> {
    title: String,
    columns: Vec<&'static str>,
    cells: Box<Cells<'a>>,
}

/// The cells of a group in the row of an entry.
type Cells<'a> = dyn Fn(&Entry) -> Vec<String> + 'a;

impl<'a> Columns<'a> {
    /// For figures of these rows.
    pub(super) fn new(rows: &'a [Row<'a>]) -> Self {
        let mut groups = Vec::new();
        let figures: [fn(&Entry) -> Option<Figure>; 3] =
            [|entry| Some(entry.main), |entry| entry.all, |entry| entry.loss_period.map(|(mean, _)| mean)];
        for figure in figures {
            let Some(first) = rows.iter().find_map(|row| figure(row.entry)) else { continue };
            let found = || rows.iter().filter_map(|row| figure(row.entry));
            let has = [true, true, found().any(|it| it.whole.is_some()), found().any(|it| it.theory.is_some())];
            let kept = move |cells: [String; 4]| -> Vec<String> {
                cells.into_iter().zip(has).filter(|(_, has)| *has).map(|(cell, _)| cell).collect()
            };
            let names = ["value", "95 % interval", "k of n", "in theory"].into_iter().zip(has);
            groups.push(Group {
                title: first.metric.to_owned(),
                columns: names.filter(|(_, has)| *has).map(|(name, _)| name).collect(),
                cells: Box::new(move |entry| kept(figure(entry).map_or_else(Default::default, cells_of))),
            });
        }
        if rows.iter().any(|row| row.entry.loss_period.is_some()) {
            groups.push(Group {
                title: "loss_period.max".to_owned(),
                columns: vec!["longest"],
                cells: Box::new(|entry| {
                    vec![entry.loss_period.map_or(String::new(), |(_, longest)| longest.to_string())]
                }),
            });
        }
        if rows.iter().any(|row| !row.entry.delays.0.is_empty()) {
            let time =
                |nanos: Option<u64>| nanos.map_or("-".to_owned(), |nanos| Duration::from_nanos(nanos).to_string());
            groups.push(Group {
                title: "delay".to_owned(),
                columns: vec!["p50", "p90", "p99", "p999"],
                cells: Box::new(move |entry| [0.5, 0.9, 0.99, 0.999].map(|it| time(entry.delays.at(it))).to_vec()),
            });
        }
        Columns(groups)
    }

    /// The columns of a group: the first, and behind the last; those of the point and its runs come before all groups.
    pub(super) fn of(&self, title: &str) -> (usize, usize) {
        let before =
            self.0.iter().take_while(|group| group.title != title).map(|group| group.columns.len()).sum::<usize>();
        let width = self.0.iter().find(|group| group.title == title).map_or(0, |group| group.columns.len());
        (FIRST + before, FIRST + before + width)
    }

    /// The table.
    pub(super) fn draw(&self, name: &str, subject: usize, rows: &[Row<'_>]) -> Markup {
        html! {
            h3 id=(name) { "All figures" }
            div.scroll tabindex="0" role="region" aria-labelledby=(name) {
                table.wide-table {
                    thead {
                        tr {
                            td colspan=(FIRST) {}
                            @for group in &self.0 { th scope="colgroup" colspan=(group.columns.len()) { (group.title) } }
                        }
                        tr {
                            th scope="col" { "point" }
                            th scope="col" { "runs" }
                            @for group in &self.0 { @for column in &group.columns { th scope="col" { (column) } } }
                        }
                    }
                    tbody {
                        @for row in rows {
                            @let word = shell_word(row.id);
                            tr id=(format!("r{}", row.number)) data-v=(places(subject, row)) {
                                th scope="row" { button data-w=[(word != row.id).then_some(&word)] { (row.id) } }
                                td { (row.replications) }
                                @for group in &self.0 { @for cell in (group.cells)(row.entry) { td { (cell) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A figure as the summary for people prints it.
fn cells_of(figure: Figure) -> [String; 4] {
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| six_digits(value).to_string());
    let interval = figure.interval.map(|(low, high)| format!("[{}, {}]", six_digits(low), six_digits(high)));
    let whole = figure.whole.map(|whole| format!("{} of {}", whole.k, whole.n));
    [number(figure.value), interval.unwrap_or("-".to_owned()), whole.unwrap_or_default(), number(figure.theory)]
}

/// Subject and places of a row, as filters compare them.
fn places(subject: usize, row: &Row<'_>) -> String {
    let places: Vec<String> = [subject].iter().chain(&row.places).map(ToString::to_string).collect();
    places.join(",")
}

/// The columns before those of figures.
const FIRST: usize = 2;
