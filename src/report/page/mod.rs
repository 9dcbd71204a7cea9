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

/// A share as the summary of a run prints it.
fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// The script of a page: what all have, and what is its own.
macro_rules! script {
    ($own:literal) => {
        concat!("\"use strict\";\n(() => {\n", include_str!("../common.js"), include_str!($own), "})();\n")
    };
}
use script;

/// The longest description that a page shows (a choice).
const MAX_DESCRIPTION: usize = 20_000;

const STYLE: &str = include_str!("style.css");
