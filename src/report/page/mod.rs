//! Pages: HTML files that need nothing else, neither network nor program. Pictures are SVG, drawn when a page is written; a
//! script of our own filters them and tells what is beside the pointer, and without it all is there but that.

pub(super) mod run;
pub(super) mod study;

mod bars;
mod picture;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::report::wording::plural;

/// A whole page. Nothing may be loaded, and no script may run but the one given. `replay` is the beginning of the commands that
/// it copies.
fn document(title: &str, replay: &str, script: &str, body: &Markup) -> String {
    let digest = BASE64.encode(Sha256::digest(script));
    let policy = format!("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – mailslot-sim" }
                style { (PreEscaped(picture::STYLE)) (PreEscaped(STYLE)) }
            }
            body data-replay=(replay) {
                svg.defs width="0" height="0" aria-hidden="true" { (PreEscaped(picture::SYMBOLS)) }
                (body)
                div #tip role="status" hidden {}
                script { (PreEscaped(script)) }
            }
        }
    };
    picture::clean(&page.into_string()) + "\n"
}

/// The head of a page: what kind it is, its name and what that is about.
fn heading(kind: &str, name: &str, description: &str) -> Markup {
    html! {
        header {
            p.kind { "mailslot-sim " (kind) }
            h1 { bdi { (name) } }
            @if !description.is_empty() { p.description tabindex="0" { bdi { (picture::clipped(description, MAX_DESCRIPTION)) } } }
        }
    }
}

/// What the head of a page says where expectations are violated: whoever opens it should not have to look for that.
fn violated(violated: usize, of: usize) -> Markup {
    html! {
        @if violated > 0 {
            p.limit { strong { "Violated" } ": " (violated) " of " (plural(of as u64, "expectation")) ", at the end of this page." }
        }
    }
}

/// A share as the summary of a run prints it; with more digits where it is nearly none or all.
fn percent(share: f64) -> String {
    let nearly =
        |digits: usize| format!("{:.digits$}", share * 100.0).parse().is_ok_and(|it: f64| it == 0.0 || it == 100.0);
    let digits = (2..MAX_DIGITS).find(|digits| share == 0.0 || share == 1.0 || !nearly(*digits)).unwrap_or(MAX_DIGITS);
    format!("{:.digits$} %", share * 100.0)
}

/// The script of a page: what all have, and what is its own.
macro_rules! script {
    ($own:literal) => {
        concat!("\"use strict\";\n(() => {\n", include_str!("../common.js"), include_str!($own), "})();\n")
    };
}
use script;

/// The most digits of a share: there are never so many messages that one of them needs more.
const MAX_DIGITS: usize = 15;
/// The longest description that a page shows (a choice).
const MAX_DESCRIPTION: usize = 20_000;

const STYLE: &str = include_str!("style.css");

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn only_none_is_0_and_only_all_is_100() {
        for (share, text) in [
            (0.0, "0.00 %"),
            (1.0, "100.00 %"),
            (0.9395, "93.95 %"),
            (0.99996, "99.996 %"),
            (1.0 - 1e-9, "99.9999999 %"),
            (0.000_04, "0.004 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }
}
