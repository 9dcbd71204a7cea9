//! A scenario file as text and as values, with the values that are set from outside.

use toml::de::DeTable;
use toml::{Table, Value};

use serde_json::Value as Json;

use super::problem::{At, Path, Problem, Step, nearest};
use super::schema::resolve;

/// What to do about backslashes in TOML.
pub(super) const BACKSLASHES: &str =
    r"paths stand in single quotes, where a backslash is itself: '\\COMPUTER\mailslot\NAME'";

/// The most bytes of a scenario file.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// Reads the text of a file.
pub(super) fn parse(text: &str) -> Result<Table, Vec<Problem>> {
    if text.len() > MAX_FILE_BYTES {
        let message = format!("the file has {} bytes; the limit is {MAX_FILE_BYTES} (MAX_FILE_BYTES)", text.len());
        return Err(vec![Problem { at: At::Text { start: 0, end: 0 }, ..Problem::error(Vec::new(), message) }]);
    }
    let (_, errors) = DeTable::parse_recoverable(text);
    let syntax = |error: &toml::de::Error| {
        let span = error.span().unwrap_or(0..0);
        let at = At::Text { start: span.start, end: span.end };
        let culprit = text.get(span).unwrap_or_default();
        let message = match error.message() {
            message @ "duplicate key" => format!("{message} `{culprit}`"),
            message => message.to_owned(),
        };
        let problem = Problem { at, ..Problem::error(Vec::new(), message) };
        if error.message().contains("escape") { problem.help(BACKSLASHES) } else { problem }
    };
    if errors.is_empty() {
        text.parse().map_err(|error: toml::de::Error| vec![syntax(&error)])
    } else {
        Err(errors.iter().map(syntax).collect())
    }
}

/// Sets one value, given as `PATH=VALUE`; returns the path.
///
/// A value is read as TOML, else taken as text; where the schema wants nothing but text it is text (`seed=5`).
pub(super) fn set(table: &mut Table, assignment: &str, schema: &Json) -> Result<Path, String> {
    let (path, value) =
        assignment.split_once('=').ok_or_else(|| format!("`{assignment}` is not of the form PATH=VALUE"))?;
    put(table, path, |steps| match read_value(value) {
        Value::String(text) => Value::String(text),
        _ if is_text(schema, steps) => Value::String(value.to_owned()),
        read => read,
    })
}

/// The value at a path.
pub(super) fn get<'a>(table: &'a Table, path: &[Step]) -> Option<&'a Value> {
    let (Step::Key(first), rest) = path.split_first()? else { return None };
    rest.iter().try_fold(table.get(first)?, |here, step| match step {
        Step::Key(key) => here.get(key),
        Step::Index(index) => here.get(*index),
    })
}

/// Puts a value where `path` says; returns the path in steps.
///
/// A path goes by keys, and in lists of tables by their `name`: `link.switch.loss.mean`, `host.CTRL.domain`.
pub(super) fn put(table: &mut Table, path: &str, value: impl FnOnce(&[Step]) -> Value) -> Result<Path, String> {
    let wrong = |why: String| format!("`{path}` names nothing: {why}");
    let mut steps = Vec::new();
    let mut rest = path;
    let mut here = &mut *table;
    loop {
        let (key, below) = first_key(here, rest).map_err(wrong)?;
        steps.push(Step::Key(key.clone()));
        let Some(below) = below else {
            here.insert(key, value(&steps));
            return Ok(steps);
        };
        let by_name = steps.len() == 1 && NAMED_TABLES.contains(&key.as_str());
        let next = here.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
        (here, rest) = match next {
            Value::Table(entries) => {
                if by_name {
                    let (name, below) = entry_called(entries.keys().map(String::as_str), &key, below).map_err(wrong)?;
                    let name = name.to_owned();
                    steps.push(Step::Key(name.clone()));
                    let entry = entries.get_mut(&name).and_then(Value::as_table_mut);
                    (entry.ok_or_else(|| wrong(format!("`{key}.{name}` is not a table")))?, below)
                } else {
                    (entries, below)
                }
            }
            Value::Array(entries) if !entries.iter().any(|entry| entry.get("name").is_some()) => {
                return Err(wrong(format!("the entries of `{key}` have no names; only the whole list can be set")));
            }
            Value::Array(entries) => {
                let names = entries.iter().filter_map(|entry| entry.get("name")?.as_str());
                let (name, below) = entry_called(names, &key, below).map_err(wrong)?;
                let called = |entry: &Value| entry.get("name").and_then(Value::as_str) == Some(name);
                let index = entries.iter().position(called).expect("the name was found among the entries");
                if entries[index + 1..].iter().any(called) {
                    return Err(format!("`{path}`: several entries of `{key}` are called `{name}`"));
                }
                steps.push(Step::Index(index));
                (entries[index].as_table_mut().expect("an entry with a name is a table"), below)
            }
            _ => {
                let whole = path[..path.len() - below.len()].trim_end_matches('.');
                return Err(wrong(format!("`{key}` is a single value, not a table; set `{whole}` as a whole")));
            }
        };
    }
}

/// Top-level tables whose keys are names that the user chose.
const NAMED_TABLES: [&str; 2] = ["link", "segment"];

/// The first key of a path in a table: the longest of the table's keys that the path starts with, so that names may
/// contain dots, else what stands before the first dot.
fn first_key<'a>(table: &Table, path: &'a str) -> Result<(String, Option<&'a str>), String> {
    let known = table.keys().filter_map(|key| Some((key.len(), after(path, key)?))).max_by_key(|(len, _)| *len);
    if let Some((len, below)) = known {
        return Ok((path[..len].to_owned(), below));
    }
    let (key, below) = path.split_once('.').map_or((path, None), |(key, below)| (key, Some(below)));
    if key.is_empty() { Err("a step is empty".into()) } else { Ok((key.to_owned(), below)) }
}

/// The entry that a path starts with, and the path below it.
fn entry_called<'a, 'b>(
    names: impl Iterator<Item = &'a str>,
    of: &str,
    path: &'b str,
) -> Result<(&'a str, &'b str), String> {
    let names: Vec<&str> = names.collect();
    let found = names.iter().filter_map(|name| Some((*name, after(path, name)??))).max_by_key(|(name, _)| name.len());
    found.ok_or_else(|| {
        // A pattern has dots in its braces.
        let brace = path.find('}').filter(|_| path.find('{') < path.find('.')).map_or(0, |brace| brace);
        let wanted = path[brace..].find('.').map_or(path, |dot| &path[..brace + dot]);
        match nearest(wanted, &names) {
            Some(near) if near == wanted => format!("`{of}.{near}` is a whole table; name one of its values"),
            Some(near) => format!("there is no `{of}.{wanted}`; did you mean `{of}.{near}`?"),
            None if names.is_empty() => format!("the scenario has no `{of}`"),
            None => format!("there is no `{of}.{wanted}`; known: {}", names.join(", ")),
        }
    })
}

/// What follows `key` at the start of `path`: `Some(None)` if nothing does.
fn after<'a>(path: &'a str, key: &str) -> Option<Option<&'a str>> {
    let rest = path.strip_prefix(key)?;
    if rest.is_empty() { Some(None) } else { rest.strip_prefix('.').map(Some) }
}

/// Whether the schema takes nothing but text at a path.
pub(super) fn is_text(root: &Json, path: &[Step]) -> bool {
    let mut here = root;
    for step in path {
        let keywords = resolve(root, here).keywords;
        let below = match step {
            Step::Key(key) => {
                let named = keywords.get("properties").and_then(|properties| properties.get(key));
                named.or(keywords.get("additionalProperties").filter(|any| any.is_object()))
            }
            Step::Index(_) => keywords.get("items"),
        };
        let Some(below) = below else { return false };
        here = below;
    }
    resolve(root, here).keywords.get("type").is_some_and(|kind| kind == "string")
}

fn read_value(text: &str) -> Value {
    let read = format!("value = {text}").parse::<Table>().ok();
    match read.map(|table| (table.len(), table)) {
        Some((1, mut table)) => table.remove("value").expect("the one key is this one"),
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::schema;
    use super::*;

    fn table() -> Table {
        r#"
        duration = "1 s"
        [link.switch]
        loss = { mean = "5 %", burst = 4 }
        [[host]]
        name = "STATION{01..12}"
        [[host]]
        name = "CTRL"
        "#
        .parse()
        .unwrap()
    }

    #[test]
    fn paths_go_by_keys_and_names() {
        for (assignment, steps) in [
            ("duration=2 s", 1),
            ("drain=2 s", 1),
            ("link.switch.loss.mean=20 %", 4),
            ("host.CTRL.domain=PLANT", 3),
            ("host.STATION{01..12}.domain=PLANT", 3),
        ] {
            let mut table = table();
            assert_eq!(set(&mut table, assignment, &schema()).map(|path| path.len()), Ok(steps), "{assignment}");
        }
        let mut table = table();
        set(&mut table, "host.CTRL.domain=PLANT", &schema()).unwrap();
        assert_eq!(table["host"][1]["domain"].as_str(), Some("PLANT"));
    }

    #[test]
    fn values_are_toml_or_else_text() {
        let mut table = table();
        for (assignment, value) in [
            ("x=5", Value::Integer(5)),
            ("x=0.5", Value::Float(0.5)),
            ("x=5 %", Value::String("5 %".into())),
            ("x='5'", Value::String("5".into())),
            ("x=1\ny = 2", Value::String("1\ny = 2".into())),
            ("x=", Value::String(String::new())),
        ] {
            set(&mut table, assignment, &schema()).unwrap();
            assert_eq!(table["x"], value, "{assignment}");
        }
        set(&mut table, "seed=5", &schema()).unwrap();
        assert_eq!(table["seed"].as_str(), Some("5"), "a seed is text");
        set(&mut table, "duration=\"2 s\"", &schema()).unwrap();
        assert_eq!(table["duration"].as_str(), Some("2 s"), "quotes are those of TOML");
    }

    #[test]
    fn a_path_that_names_nothing_is_an_error_with_the_nearest_name() {
        let wrong = |assignment| set(&mut table(), assignment, &schema()).unwrap_err();
        assert!(wrong("link.swich.loss=0").contains("did you mean `link.switch`?"));
        assert!(
            wrong("host.STATION{1..6}.domain=X")
                .contains("no `host.STATION{1..6}`; did you mean `host.STATION{01..12}`?")
        );
        assert!(wrong("host.CTRLL.domain=X").contains("did you mean `host.CTRL`?"));
        assert!(wrong("duration.mean=X").contains("not a table"));
        assert!(wrong("link.switch=X").contains("whole table"));
        assert!(wrong("duration").contains("PATH=VALUE"));
        assert!(wrong("=5").contains("empty"));
    }
}
