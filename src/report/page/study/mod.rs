//! The page of a study. It is drawn from stored results alone, so drawing it again gives the same bytes.

mod chart;
mod charts;
mod curves;
mod data;
pub(in crate::report) mod grid;
mod headline;
mod latency;
mod lengths;
mod shares;
mod table;

use maud::{Markup, html};

pub(in crate::report) use data::{Delays, Entry, Figure, Lengths, Point, Totals};

use self::charts::{Budget, Chart};
use self::grid::{Grid, Row};
use self::headline::Sums;
use self::table::Columns;
use super::picture::{MAX_LABEL, Picture, clipped};
use super::{document, heading, script};
use crate::report::study::{self as results, PointSummary};
use crate::report::wording::grouped;
use crate::study::Manifest;

/// A page in the making: it takes the points of a study one by one, and keeps what it can show.
pub(in crate::report) struct Page<'a> {
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
    pub(in crate::report) fn new(manifest: &'a Manifest, description: &'a str, expected: usize) -> Self {
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
    pub(in crate::report) fn add(&mut self, mut point: Point) {
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
    pub(in crate::report) fn draw(&self, summaries: &[PointSummary]) -> String {
        let grid = self.grid();
        let mut budget = Budget::new();
        let mut number = 0;
        let sections: Vec<Markup> =
            (0..self.subjects.len()).map(|subject| self.section(&grid, subject, &mut number, &mut budget)).collect();
        let body = html! {
            (heading("study", &self.manifest.name, self.description))
            main {
                (headline::violations(summaries))
                (self.sums.draw(self.manifest.points.len()))
                (self.axes())
                (self.controls(&grid))
                @for section in &sections { (section) }
                (headline::expectations(summaries, &self.replay()))
            }
            footer { (self.notes(budget)) }
        };
        document(&self.manifest.name, &self.replay(), SCRIPT, &body)
    }

    /// The charts as files, each with its name; where the page first shows one value of an axis, so do they.
    pub(in crate::report) fn figures(&self) -> Vec<(String, String)> {
        let grid = self.grid();
        let shown = grid.shown();
        let mut budget = Budget::new();
        let mut figures = Vec::new();
        for subject in 0..self.subjects.len() {
            let rows = self.rows(&grid, subject, &mut 0);
            for Chart { name, along, mut picture, .. } in charts::draw(&grid, &rows, &shown, &mut budget) {
                let fixed = grid.axes.iter().zip(&shown).enumerate().filter(|(axis, _)| Some(*axis) != along);
                let fixed =
                    fixed.filter_map(|(_, (axis, place))| Some(format!(", {}={}", axis.title, axis.shown[(*place)?])));
                let of = &self.subjects[subject];
                picture.title = format!("{of}: {}{}", picture.title, fixed.collect::<String>());
                figures.push((format!("{of}-{name}"), picture.file()));
            }
        }
        figures
    }

    fn grid(&self) -> Grid {
        let shown: Vec<usize> = self.points.iter().map(|point| point.position).collect();
        Grid::new(self.manifest, &shown)
    }

    /// The beginning of the command that shows one run.
    fn replay(&self) -> String {
        results::replay(self.manifest)
    }

    /// What to show: a flow, and values of axes.
    fn controls(&self, grid: &Grid) -> Markup {
        let shown = grid.shown();
        html! {
            @if self.subjects.len() > 1 || !grid.varied().is_empty() {
                form.controls hidden aria-label="What is shown" {
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
                    @for axis in grid.varied().iter().copied() {
                        label {
                            bdi { (grid.axes[axis].title) } " "
                            select data-axis=(axis + 1) {
                                option value="" { "all" }
                                @for (place, label) in grid.axes[axis].shown.iter().enumerate() {
                                    option value=(place) selected[shown[axis] == Some(place)] { (clipped(label, MAX_LABEL)) }
                                }
                            }
                        }
                    }
                    span.hint { "Point at a mark, or move to it by Tab and arrow keys: a click or Enter copies the command that replays it." }
                }
            }
        }
    }

    /// What each axis sets.
    fn axes(&self) -> Markup {
        let axes = &self.manifest.axes;
        html! {
            @if !axes.is_empty() {
                p.runs {
                    @for (number, axis) in axes.iter().enumerate() {
                        @if number > 0 { "; " }
                        bdi { (axis.name) } " sets " bdi { code { (axis.set) } }
                    }
                    "."
                }
            }
        }
    }

    /// A row for each point that has this flow or app. `number` counts the rows of the page.
    fn rows<'p>(&'p self, grid: &Grid, subject: usize, number: &mut usize) -> Vec<Row<'p>> {
        let of = &self.subjects[subject];
        let entry = |point: &'p Point| Some((point, point.entries.iter().find(|entry| entry.of == *of)?));
        let row = |(point, entry): (&'p Point, &'p Entry)| {
            let id = self.manifest.points[point.position].id.as_str();
            *number += 1;
            Row { number: *number, id, replications: point.replications, entry, places: grid.places(id) }
        };
        self.points.iter().filter_map(entry).map(row).collect()
    }

    /// All about a flow or app.
    fn section(&self, grid: &Grid, subject: usize, number: &mut usize, budget: &mut Budget) -> Markup {
        let of = &self.subjects[subject];
        let rows = self.rows(grid, subject, number);
        let columns = Columns::new(&rows);
        let all = vec![None; grid.axes.len()]; // the script narrows them
        let charts = charts::draw(grid, &rows, &all, budget);
        html! {
            section data-v=(subject) aria-labelledby=(format!("s{subject}")) {
                h2 id=(format!("s{subject}")) { bdi { (of) } }
                p.reading { "Bands are 95 % intervals over replications, dots the closed form where there is one. A filter of an axis does \
                     not narrow the charts along it." }
                div.charts {
                    @for Chart { name, metric, picture, .. } in &charts {
                        (figure_of(&format!("s{subject}{name}").replace('.', "-"), columns.of(metric), picture))
                    }
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
                    (grouped(charts::MAX_MARKS as u64)) " marks (MAX_MARKS), so those along later axes are missing."
                }
            }
            p {
                "A run is shown by " code { (self.replay()) " --point " var { "POINT" } " --replication 0" } ", with the "
                "file and the " code { "--set" } " options that the study was given."
            }
            p {
                "Study " code { (self.manifest.hash) } ", version " (self.manifest.version) ". The numbers of the charts, and many more, "
                "are in points.csv beside this page."
            }
        }
    }
}

/// A picture of the page, whose marks show these columns of the table.
fn figure_of(name: &str, (first, end): (usize, usize), picture: &Picture) -> Markup {
    html! {
        figure data-m=(format!("{first} {end}")) {
            figcaption id=(name) { bdi { (picture.title) } }
            (picture.inline(name))
        }
    }
}

/// The most points that a page draws, or points times flows and apps (a choice): what keeps it below 1.5 MB.
const MAX_DRAWN: usize = 1_000;
/// The most bytes of names that drawn points have together (a choice).
const MAX_NAME_BYTES: usize = 100_000;

const SCRIPT: &str = script!("script.js");
