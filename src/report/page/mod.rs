//! The page of a study: one HTML file that needs nothing else, neither network nor program. It is drawn from stored results
//! alone, so drawing it again gives the same bytes. The pictures are SVG; a script of our own filters them and tells what is
//! beside the pointer, and without it all is there but that.

mod chart;
mod data;
mod grid;
mod headline;
mod latency;
mod scale;
mod shares;
mod table;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

pub(super) use data::{Delays, Entry, Figure, Point, Totals};

use self::chart::Chart;
use self::grid::{Grid, Row};
use self::headline::Sums;
use self::table::Columns;
use crate::report::study::PointSummary;
use crate::report::suite::shell_word;
use crate::report::text::grouped;
use crate::study::Manifest;

/// A page in the making: it takes the points of a study one by one, and keeps what it can show.
pub(super) struct Page<'a> {
    manifest: &'a Manifest,
    description: &'a str,
    sums: Sums,
    points: Vec<Point>,
    /// The names of flows and apps, in the order of the report.
    subjects: Vec<String>,
    /// How many points there are to come, and how many came.
    expected: usize,
    came: usize,
    /// Bytes of names so far.
    named: usize,
    is_cut: bool,
}

impl<'a> Page<'a> {
    /// For so many points of a study.
    pub(super) fn new(manifest: &'a Manifest, description: &'a str, expected: usize) -> Self {
        Page {
            manifest,
            description,
            sums: Sums::default(),
            points: Vec::new(),
            subjects: Vec::new(),
            expected,
            came: 0,
            named: 0,
            is_cut: false,
        }
    }

    /// Takes the next point.
    pub(super) fn add(&mut self, mut point: Point) {
        let id = &self.manifest.points[point.position].id;
        self.sums.add(id, &point);
        self.came += 1;
        self.named += id.len();
        if self.points.len() == MAX_DRAWN || self.named > MAX_NAME_BYTES {
            self.is_cut = true;
            return;
        }
        let most = (MAX_DRAWN / self.expected.max(1)).max(1);
        for entry in &point.entries {
            if !self.subjects.contains(&entry.of) {
                self.subjects.push(entry.of.clone());
            }
        }
        self.is_cut |= self.subjects.len() > most;
        self.subjects.truncate(most);
        point.entries.retain(|entry| self.subjects.contains(&entry.of));
        self.points.push(point);
    }

    /// The page; `summaries` are those of all points.
    pub(super) fn draw(&self, summaries: &[PointSummary]) -> String {
        let shown: Vec<usize> = self.points.iter().map(|point| point.position).collect();
        let grid = Grid::new(self.manifest, &shown);
        let mut budget = Budget { marks: MAX_MARKS, left_out: 0 };
        let mut number = 0;
        let sections: Vec<Markup> =
            (0..self.subjects.len()).map(|subject| self.section(&grid, subject, &mut number, &mut budget)).collect();
        let body = html! {
            header {
                p.kind { "mailslot-sim study" }
                h1 { bdi { (self.manifest.name) } }
                @if !self.description.is_empty() { p.description tabindex="0" { bdi { (self.description) } } }
            }
            main {
                (self.sums.draw(self.manifest.points.len()))
                (self.controls(&grid))
                @for section in &sections { (section) }
                (headline::expectations(summaries, &self.replay()))
            }
            footer { (self.notes(budget)) }
            div #tip role="status" hidden {}
        };
        self.document(&body)
    }

    /// Head and body: nothing may be loaded, and no script may run but ours.
    fn document(&self, body: &Markup) -> String {
        let digest = BASE64.encode(Sha256::digest(SCRIPT));
        let policy = format!("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'");
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.manifest.name) " – mailslot-sim" }
                    style { (PreEscaped(STYLE)) }
                }
                body data-replay=(self.replay()) {
                    (PreEscaped(MARKERS))
                    (body)
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string() + "\n"
    }

    /// The beginning of the command that shows one run.
    fn replay(&self) -> String {
        format!("mailslot-sim run {}", shell_word(&format!("{}.toml", self.manifest.name)))
    }

    /// What to show: a flow, and values of axes.
    fn controls(&self, grid: &Grid) -> Markup {
        let shown = grid.shown();
        html! {
            @if self.subjects.len() > 1 || !grid.varied().is_empty() {
                form.controls aria-label="What is shown" {
                    @if self.subjects.len() > 1 {
                        label {
                            "flow or app "
                            select data-axis="0" {
                                @for (number, subject) in self.subjects.iter().enumerate() {
                                    option value=(number) { (subject) }
                                }
                            }
                        }
                    }
                    @for axis in grid.varied() {
                        label {
                            bdi { (grid.axes[axis].name) } " "
                            select data-axis=(axis + 1) {
                                option value="" { "all" }
                                @for (place, label) in grid.axes[axis].labels.iter().enumerate() {
                                    option value=(place) selected[shown[axis] == Some(place)] { (chart::clipped(label)) }
                                }
                            }
                        }
                    }
                    span.hint { "Point at a mark, or move to it by Tab and arrow keys: a click or Enter copies the command that replays it." }
                }
            }
        }
    }

    /// All about a flow or app. `number` counts the rows of the page, and `budget` the marks that charts may still have.
    fn section(&self, grid: &Grid, subject: usize, number: &mut usize, budget: &mut Budget) -> Markup {
        let of = &self.subjects[subject];
        let found =
            self.points.iter().filter_map(|point| Some((point, point.entries.iter().find(|entry| entry.of == *of)?)));
        let rows: Vec<Row<'_>> = found
            .map(|(point, entry)| {
                let id = self.manifest.points[point.position].id.as_str();
                *number += 1;
                Row { number: *number, id, replications: point.replications, entry, places: grid.places(id) }
            })
            .collect();
        let columns = Columns::new(&rows);
        let mut draw = |along: usize, title: &str, figure: fn(&Entry) -> Option<Figure>| {
            let metric = rows.iter().find_map(|row| figure(row.entry))?.metric;
            budget.spend(rows.len())?;
            let (name, title) = (format!("s{subject}{metric}{along}").replace('.', "-"), title.to_owned());
            Some(Chart { name, title, along, figure, columns: columns.of(metric), grid, rows: &rows }.draw())
        };
        let main = match rows.first().map(|row| row.entry.main.metric) {
            Some("delivery_ratio") => "Share of deliveries",
            _ => "Share of false removals",
        };
        let mut charts = Vec::new();
        for along in grid.varied() {
            charts.push(draw(along, main, |entry| Some(entry.main)));
            charts.push(draw(along, "Share of broadcasts that reached everybody", |entry| entry.all));
        }
        for along in grid.varied() {
            charts.push(draw(along, "Mean length of loss periods, in messages,", |entry| {
                entry.loss_period.map(|it| it.0)
            }));
        }
        html! {
            section data-v=(subject) aria-labelledby=(format!("s{subject}")) {
                h2 id=(format!("s{subject}")) { bdi { (of) } }
                div.charts {
                    @for chart in charts.into_iter().flatten() { (chart) }
                    (latency::draw(&format!("s{subject}delay"), columns.of("delay"), grid, &rows))
                }
                p.reading {
                    "Bands are 95 % intervals over replications, dots the closed form where there is one. A filter of an axis does \
                     not narrow the charts along it."
                }
                (shares::draw(&format!("s{subject}shares"), &rows))
                (columns.draw(&format!("s{subject}table"), subject, &rows))
            }
        }
    }

    /// What the page rests on, and what it leaves out.
    fn notes(&self, budget: Budget) -> Markup {
        let kept = self.points.first().map_or(0, |point| point.entries.len());
        html! {
            @if self.is_cut {
                p.limit {
                    "Drawn are " (grouped(self.points.len() as u64)) " of " (grouped(self.came as u64)) " points, each with "
                    (kept) " flows and apps: a page has at most " (grouped(MAX_DRAWN as u64)) " rows (MAX_DRAWN), and "
                    (grouped(MAX_NAME_BYTES as u64)) " bytes of names (MAX_NAME_BYTES). points.csv has them all."
                }
            }
            @if budget.left_out > 0 {
                p.limit {
                    "Charts that are left out: " (budget.left_out) ". Together they have at most "
                    (grouped(MAX_MARKS as u64)) " marks (MAX_MARKS), so those along later axes are missing."
                }
            }
            p {
                "A run is shown by " code { (self.replay()) " --point " var { "POINT" } " --replication 0" } ", with the "
                "file and the options --set and --seed that the study was given."
            }
            p {
                "Study " code { (self.manifest.hash) } ", version " (self.manifest.version) ". The numbers of the charts, and many more, "
                "are in points.csv beside this page."
            }
        }
    }
}

/// What charts along axes may still draw.
#[derive(Clone, Copy)]
struct Budget {
    marks: usize,
    /// Charts that had no room.
    left_out: usize,
}

impl Budget {
    /// Takes the marks of a chart, if there are enough.
    fn spend(&mut self, marks: usize) -> Option<()> {
        let left = self.marks.checked_sub(marks);
        self.left_out += usize::from(left.is_none());
        self.marks = left?;
        Some(())
    }
}

/// A share as the summary of a run prints it.
fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// The most points that a page draws, or points times flows and apps (a choice): what keeps it below 1.5 MB.
const MAX_DRAWN: usize = 1_000;
/// The most bytes of names that drawn points have together (a choice).
const MAX_NAME_BYTES: usize = 100_000;
/// The most marks of all charts along axes together (a choice): those along later axes are left out.
const MAX_MARKS: usize = 4_000;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
const MARKERS: &str = include_str!("markers.svg");
