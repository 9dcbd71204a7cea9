//! The steps as text, in 100 columns.

use std::fmt::Write;

use super::life::{Explain, Step};
use crate::report::terminal::{BAD, GOOD};
use crate::report::text::{cut_inside, wrapped};
use crate::report::wording::{grouped, plural};
use crate::stats::Fate;
use crate::time::Instant;

/// The life of the message, or why there is none.
pub(super) fn render(life: &Explain) -> Result<String, String> {
    let question = &life.question;
    let [sender, host] = [question.sender, question.host].map(|host| life.names.host(host));
    if question.message >= life.messages {
        let there_are = match life.messages {
            0 => "writes no message".to_owned(),
            1 => "writes one message, number 0".to_owned(),
            messages => format!("writes {} messages, numbered from 0 to {}", grouped(messages), messages - 1),
        };
        return Err(format!("in this run {sender} {there_are}, for {}", question.flow));
    }
    let without = match (life.writes, life.succeeded) {
        (0, _) => "it was not written",
        (_, 0) => "no write succeeded",
        _ => "it is not in the audience",
    };
    let fate = life.fate.map_or(without, Fate::name);
    let style = if life.fate == Some(Fate::Delivered) { GOOD } else { BAD };
    let mut text =
        format!("{}:{} from {sender} at {host}: {style}{fate}{style:#}\n\n", question.flow, question.message);
    let times: Vec<String> = life.steps.iter().map(|step| seconds(step.at)).collect();
    let width = times.iter().map(String::len).max().unwrap_or(0);
    let places: Vec<String> = life.steps.iter().map(|step| cut_inside(&step.place, MAX_PLACE)).collect();
    let wide = places.iter().map(|place| place.chars().count()).max().unwrap_or(0);
    for (step, (time, place)) in life.steps.iter().zip(times.iter().zip(&places)) {
        draw(&mut text, step, &format!("  {time:>width$}  {place:<wide$}  "));
    }
    if life.left_out > 0 {
        let _ = writeln!(text, "  and {} more (MAX_STEPS): --trace has them all", plural(life.left_out, "step"));
    }
    let belief = match (life.is_acknowledged, life.is_believed) {
        (false, _) => String::new(),
        (true, true) => format!("; it believes that {host} has it"),
        (true, false) => format!("; it has no reply from {host}"),
    };
    let _ = writeln!(
        text,
        "\nwhat {sender} saw: {}, {} succeeded, {}{belief}",
        plural(life.writes, "write"),
        life.succeeded,
        plural(life.acknowledgements, "acknowledgement")
    );
    let size: u64 = life.fates.values().sum();
    let fates: Vec<String> =
        life.fates.iter().map(|(fate, count)| format!("{} {}", grouped(*count), fate.name())).collect();
    let _ = match size {
        0 => writeln!(text, "what happened: it addressed nobody"),
        _ => writeln!(text, "what happened, of {}: {}", plural(size, "recipient"), fates.join(", ")),
    };
    Ok(text)
}

fn draw(text: &mut String, step: &Step, first: &str) {
    wrapped(text, first, step.what.split(' '));
    let indent = " ".repeat(first.chars().count() + 2);
    for line in &step.draws {
        wrapped(text, &indent, line.split(' '));
    }
}

/// A moment to the nanosecond.
fn seconds(at: Instant) -> String {
    let nanos = at.since(Instant::ZERO).nanos();
    format!("{}.{:09} s", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

/// The most columns of a place: links have long names.
const MAX_PLACE: usize = 40;
