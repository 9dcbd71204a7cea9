//! Checks a scenario file against the published schema: every unknown key, missing key and malformed value at once.

use serde_json::Value as Json;
use toml::{Table, Value};

use super::problem::{Path, Problem, Step};
use super::quantity::{check_format, clipped, shown};
use super::schema::{Resolved, resolve};

/// All problems of the form of a file. What is refused is taken out of `table`, so that the rest can be read and
/// checked further.
pub(super) fn validate(table: &mut Table, schema: &Json) -> Vec<Problem> {
    let mut validator = Validator { root: schema, problems: Vec::new() };
    validator.table(table, &resolve(schema, schema), &Vec::new());
    let has_names = |key: &str| {
        let entry = schema["properties"].get(key).map(|entry| resolve(schema, entry));
        entry.is_some_and(|entry| entry.keywords.get("additionalProperties").is_some_and(Json::is_object))
    };
    for problem in validator.problems.iter().rev() {
        prune(table, &problem.path, &has_names); // from the back: taking out the last key moves no others
    }
    validator.problems
}

struct Validator<'a> {
    root: &'a Json,
    problems: Vec<Problem>,
}

impl Validator<'_> {
    fn value(&mut self, value: &Value, schema: &Json, path: &Path) {
        let resolved = resolve(self.root, schema);
        let keywords = resolved.keywords;
        if let Some(result) = keywords.get("format").and_then(Json::as_str).and_then(|name| check_format(name, value)) {
            if let Err(message) = result {
                self.refuse(path, message);
            }
            return;
        }
        if let Some(Json::Array(alternatives)) = keywords.get("anyOf") {
            // Alternatives are a text or number, a list, or a table.
            let kind = |alternative: &Json| match resolve(self.root, alternative).keywords.get("type") {
                Some(kind) if kind == "object" || kind == "array" => kind.as_str().map(str::to_owned),
                _ => None,
            };
            let wanted = match value {
                Value::Table(_) => Some("object".to_owned()),
                Value::Array(_) => Some("array".to_owned()),
                _ => None,
            };
            let fitting = alternatives.iter().find(|alternative| kind(alternative) == wanted);
            return self.value(value, fitting.unwrap_or(&alternatives[0]), path);
        }
        if let Some(Json::Array(choices)) = keywords.get("oneOf") {
            return self.choice(value, choices, path);
        }
        match (keywords.get("type").and_then(Json::as_str), value) {
            (Some("object"), Value::Table(table)) => self.table(table, &resolved, path),
            (Some("array"), Value::Array(items)) => self.array(items, &resolved, path),
            (Some("integer"), Value::Integer(number)) => self.integer(*number, &resolved, path),
            (Some("string"), Value::String(_))
            | (Some("boolean"), Value::Boolean(_))
            | (Some("number"), Value::Float(_) | Value::Integer(_)) => {}
            (Some("array"), Value::Table(_)) if path.len() == 1 => {
                self.refuse(path, format!("there can be several: write `[{}]`", header(path).replace('`', "")));
            }
            (Some("object"), Value::Array(_)) if path.len() == 1 => {
                let header = header(path).replace(['`', '[', ']'], "");
                self.refuse(path, format!("each has a name: write `[{header}.NAME]`"));
            }
            (Some(expected), _) => {
                let message = format!("`{}` is {}; {} is expected", shown(value), kind_of(value), kind_named(expected));
                let problem = Problem::error(path.clone(), message);
                self.problems.push(match form_of(path) {
                    Some(form) => problem.help(form),
                    None => problem,
                });
            }
            (None, _) => {}
        }
    }

    fn table(&mut self, table: &Table, schema: &Resolved<'_>, path: &Path) {
        let properties = schema.keywords.get("properties").and_then(Json::as_object);
        let any = schema.keywords.get("additionalProperties").filter(|any| any.is_object());
        let mut has_planned = false;
        for (key, value) in table {
            let below = [&path[..], &[Step::Key(key.clone())]].concat();
            match properties.and_then(|properties| properties.get(key)).or(any) {
                Some(schema) => self.value(value, schema, &below),
                None if planned_keys(schema.name).contains(&key.as_str()) => {
                    has_planned = true;
                    self.problems.push(Problem::error(below, format!("`{key}` is not supported yet")).at_key());
                }
                None => {
                    let known = properties.into_iter().flat_map(|properties| properties.keys().map(String::as_str));
                    let message = format!("unknown key `{}` in {}", clipped(key), header(path));
                    let problem = Problem::error(below, message).at_key();
                    self.problems.push(match self.place_of(key) {
                        Some(place) => problem.help(format!("`{key}` is a key of {place}")),
                        None => problem.suggest(key, known),
                    });
                }
            }
        }
        if has_planned {
            return; // what is missing beside it, nobody can know
        }
        for required in schema.keywords.get("required").and_then(Json::as_array).into_iter().flatten() {
            let key = required.as_str().expect("required keys are text");
            if !table.contains_key(key) {
                let what = properties.and_then(|properties| description(self.root, properties.get(key)?));
                let problem = Problem::error(path.clone(), format!("{} has no `{key}`", header(path))).at_key();
                self.problems.push(match what {
                    Some(what) => problem.help(format!("add `{key}`: {what}")),
                    None => problem,
                });
            }
        }
    }

    /// The table that has a key which nobody would look for in two of them.
    fn place_of(&self, key: &str) -> Option<&'static str> {
        let has = |table: &Json| table.get("properties").is_some_and(|properties| properties.get(key).is_some());
        let tables = [("Host", "[[host]]"), ("Mailslot", "[[mailslot]]"), ("Traffic", "[[traffic]]")];
        let mut places = tables.into_iter().filter(|(name, _)| has(&self.root["$defs"][name])).map(|(_, place)| place);
        let top = has(self.root).then_some("the top of the file");
        match (top, places.next(), places.next()) {
            (Some(place), None, None) | (None, Some(place), None) => Some(place),
            _ => None,
        }
    }

    fn array(&mut self, items: &[Value], schema: &Resolved<'_>, path: &Path) {
        for (limit, wrong) in [("minItems", std::cmp::Ordering::Less), ("maxItems", std::cmp::Ordering::Greater)] {
            let Some(limit) = schema.keywords.get(limit).and_then(Json::as_u64) else { continue };
            if (items.len() as u64).cmp(&limit) == wrong {
                return self.refuse(path, format!("{limit} values are expected, not {}", items.len()));
            }
        }
        for (index, item) in items.iter().enumerate() {
            self.value(item, &schema.keywords["items"], &[&path[..], &[Step::Index(index)]].concat());
        }
    }

    fn integer(&mut self, number: i64, schema: &Resolved<'_>, path: &Path) {
        let bound = |key: &str| schema.keywords.get(key).and_then(Json::as_i64);
        let of_format = match schema.keywords.get("format").and_then(Json::as_str) {
            Some("uint32") => i64::from(u32::MAX),
            _ => i64::MAX,
        };
        let (least, most) = (bound("minimum").unwrap_or(i64::MIN), bound("maximum").unwrap_or(of_format));
        if !(least..=most).contains(&number) {
            self.refuse(path, format!("{number} is not a whole number from {least} to {most}"));
        }
    }

    /// One of several words.
    fn choice(&mut self, value: &Value, choices: &[Json], path: &Path) {
        let words: Vec<&str> = choices.iter().filter_map(|choice| choice.get("const")?.as_str()).collect();
        match value.as_str() {
            Some(word) if words.contains(&word) => {}
            _ => {
                let message = format!("`{}` is not one of `{}`", shown(value), words.join("`, `"));
                let problem = Problem::error(path.clone(), message);
                let near = value.as_str().and_then(|word| super::problem::nearest(word, &words));
                self.problems.push(match near {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem,
                });
            }
        }
    }

    fn refuse(&mut self, path: &Path, message: String) {
        self.problems.push(Problem::error(path.clone(), message));
    }
}

/// Keys that a table is going to have: they are refused by name, never ignored.
fn planned_keys(table: &str) -> &'static [&'static str] {
    match table {
        "Traffic" => &["over"],
        _ => &[],
    }
}

/// What a value looks like whose kind people get wrong.
fn form_of(path: &Path) -> Option<&'static str> {
    if let [Step::Key(study), Step::Key(axes), Step::Key(key)] = &path[..]
        && study == "study"
        && axes == "axes"
    {
        return Some(match key.as_str() {
            "where" | "replications" | "until" => "it stands in `[study]`, above `[study.axes]`",
            _ => "write { set = \"link.PROFILE.loss\", values = [\"1 %\", \"2 %\"] }",
        });
    }
    let [Step::Key(table), Step::Index(_), Step::Key(key), ..] = &path[..] else { return None };
    Some(match (table.as_str(), key.as_str()) {
        ("event", "every") => "random times are written { exponential = \"30 s\" }",
        ("event", "crash" | "restart" | "pause" | "resume" | "leave") => {
            "write one host, a pattern like \"STATION{01..04}\" or a domain like '\\\\PLANT'; others need an event of their own"
        }
        ("event", "join") => "write { host = \"STATION01\", domain = \"PLANT\" }",
        ("event", "open" | "close") => "write { on = \"STATION01\", mailslot = 'alarm' }",
        ("event", "partition") => "write groups of hosts or segments: [[\"CTRL\"], [\"STATION01\", \"STATION02\"]]",
        ("event", "set") => "write { \"link.PROFILE.loss\" = \"20 %\" }",
        ("mailslot", "open") => "to open it later write open = false, and an [[event]] with `open`",
        ("expect", "at_least" | "at_most" | "between" | "equals") => {
            "bounds are plain numbers: 0.95 for 95 %, nanoseconds for times"
        }
        _ => return None,
    })
}

/// A table as its header is written.
fn header(path: &Path) -> String {
    let dotted = |keys: &[Step]| {
        let keys: Vec<&str> =
            keys.iter().filter_map(|step| if let Step::Key(key) = step { Some(&key[..]) } else { None }).collect();
        keys.join(".")
    };
    match &path[..] {
        [] => "the scenario".into(),
        [Step::Key(array), Step::Index(_)] => format!("`[[{array}]]`"),
        [Step::Key(array), Step::Index(_), rest @ ..] => format!("`{}` of `[[{array}]]`", dotted(rest)),
        keys => format!("`[{}]`", dotted(keys)),
    }
}

fn description<'a>(root: &'a Json, schema: &'a Json) -> Option<&'a str> {
    let own = schema.get("description").and_then(Json::as_str);
    own.or_else(|| resolve(root, schema).keywords.get("description")?.as_str())
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

fn kind_named(schema_type: &str) -> &'static str {
    match schema_type {
        "string" => "text in quotes",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        _ => "a table",
    }
}

/// Takes a refused value out. Values below the fields of an entry take the whole field with them: half a field means
/// nothing. `has_names` says of a key of the file whether its entries have names of their own: one that is not whole stays.
fn prune(table: &mut Table, path: &Path, has_names: &dyn Fn(&str) -> bool) {
    match &path[..] {
        [] => {}
        [Step::Key(key)] => {
            table.remove(key);
        }
        [Step::Key(key), Step::Key(field)] if !has_names(key) => match table.get_mut(key) {
            Some(Value::Table(fields)) => drop(fields.remove(field)),
            _ => drop(table.remove(key)),
        },
        [Step::Key(key), entry, rest @ ..] => {
            let entry = match (table.get_mut(key), entry) {
                (Some(Value::Table(entries)), Step::Key(name)) => entries.get_mut(name),
                (Some(Value::Array(entries)), Step::Index(index)) => entries.get_mut(*index),
                _ => None,
            };
            match (entry, rest) {
                (Some(Value::Table(entry)), [Step::Key(field), ..]) => {
                    entry.remove(field);
                }
                (Some(Value::Table(_)), _) | (None, _) => {}
                (Some(_), _) => {
                    table.remove(key);
                }
            }
        }
        _ => unreachable!("a file is a table"),
    }
}
