//! The values of axes: what they mean, and the one spelling that each has in the names of points.

use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};
use toml::Value as Toml;

use super::decimal::Decimal;
use crate::scenario::quantity::{shown, split};

/// A value of an axis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A number, with its unit.
    Quantity(Decimal, Unit),
    /// True or false.
    Boolean(bool),
    /// A text.
    Text(String),
}

/// What a number counts. Values of different units cannot be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Nothing; probabilities too: 5 % is 0.05.
    None,
    /// Nanoseconds.
    Time,
    /// Bytes.
    Bytes,
    /// Bits per second.
    Rate,
    /// Occurrences per second.
    PerSecond,
    /// Occurrences per minute.
    PerMinute,
    /// Datagrams.
    Datagrams,
}

impl Value {
    /// What a value of the file means.
    pub(crate) fn read(value: &Toml) -> Result<Self, String> {
        let number = |text: &str| match Decimal::parse(text, 1, 0) {
            Some(number) => Ok(Value::Quantity(number, Unit::None)),
            None => Err(format!("`{}` has too many digits for a value of an axis", shown(value))),
        };
        match value {
            Toml::Integer(whole) => number(&whole.to_string()),
            Toml::Float(float) if float.is_finite() => number(&float.to_string()),
            Toml::Boolean(truth) => Ok(Value::Boolean(*truth)),
            Toml::String(text) => match split(text).and_then(|(number, unit)| Some((number, scale(unit)?))) {
                Some((number, (unit, factor, places))) => Decimal::parse(number, factor, places)
                    .map(|number| Value::Quantity(number, unit))
                    .ok_or_else(|| format!("`{}` has too many digits for a value of an axis", shown(value))),
                None => Ok(Value::Text(text.clone())),
            },
            _ => Err(format!("`{}` is no text, number, true or false: an axis has no other values", shown(value))),
        }
    }

    /// What it is, in plural.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Quantity(_, Unit::None) => "numbers",
            Value::Quantity(_, Unit::Time) => "times",
            Value::Quantity(_, Unit::Bytes) => "sizes",
            Value::Quantity(_, Unit::Rate) => "rates",
            Value::Quantity(_, Unit::PerSecond) => "frequencies per second",
            Value::Quantity(_, Unit::PerMinute) => "frequencies per minute",
            Value::Quantity(_, Unit::Datagrams) => "numbers of datagrams",
            Value::Boolean(_) => "true or false",
            Value::Text(_) => "texts",
        }
    }

    /// It as a value of the file; a number without a unit as a whole one if `whole`.
    pub(crate) fn to_toml(&self, whole: bool) -> Toml {
        match self {
            Value::Quantity(number, Unit::None) => match number.to_i64().filter(|_| whole) {
                Some(whole) => Toml::Integer(whole),
                None => Toml::Float(number.to_f64()),
            },
            Value::Quantity(..) => Toml::String(self.to_string()),
            Value::Boolean(truth) => Toml::Boolean(*truth),
            Value::Text(text) => Toml::String(text.clone()),
        }
    }

    /// How two values of an axis compare; texts and truths are equal or not, and nothing else.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Value::Quantity(one, unit), Value::Quantity(another, other)) if unit == other => Some(one.cmp(another)),
            _ => (self == other).then_some(Ordering::Equal),
        }
    }

    /// It in tables: a number in the smallest unit, a text as it is.
    #[must_use]
    pub fn cell(&self) -> String {
        match self {
            Value::Quantity(number, _) => number.to_string(),
            Value::Boolean(truth) => truth.to_string(),
            Value::Text(text) => text.clone(),
        }
    }
}

/// Its canonical spelling, in the names of points: a number in the largest unit of which it is a whole number of times; in
/// texts what would separate values is escaped as in URLs.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Quantity(number, unit) => {
                let units = unit.names();
                let whole = units.iter().find_map(|(name, factor)| Some((number.whole_times(*factor)?, name)));
                match whole {
                    Some((times, name)) => write!(f, "{times}{name}"),
                    None => write!(f, "{number}{}", units[units.len() - 1].0),
                }
            }
            Value::Boolean(truth) => truth.fmt(f),
            Value::Text(text) => {
                f.write_str(&escaped(text, |c| !c.is_control() && !c.is_whitespace() && !",=%'\"".contains(c)))
            }
        }
    }
}

/// As it stands in tables.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Quantity(number, _) => match number.to_i64() {
                Some(whole) => serializer.serialize_i64(whole),
                None => serializer.serialize_f64(number.to_f64()),
            },
            Value::Boolean(truth) => serializer.serialize_bool(*truth),
            Value::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl Unit {
    /// Its names in canonical spellings with what they are worth, the smallest last.
    fn names(self) -> &'static [(&'static str, u64)] {
        match self {
            Unit::None => &[("", 1)],
            Unit::Time => &[("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)],
            Unit::Bytes => &[("B", 1)],
            Unit::Rate => &[("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1_000), ("bit/s", 1)],
            Unit::PerSecond => &[("/s", 1)],
            Unit::PerMinute => &[("/min", 1)],
            Unit::Datagrams => &[("datagrams", 1)],
        }
    }
}

/// A text in which all but some characters are escaped as in URLs.
pub(crate) fn escaped(text: &str, is_plain: impl Fn(char) -> bool) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if is_plain(c) {
            escaped.push(c);
        } else {
            let bytes = c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            escaped.push_str(&bytes);
        }
    }
    escaped
}

/// What a number with a unit counts, how many of it the unit is, and by how many places its point moves to the left.
fn scale(unit: &str) -> Option<(Unit, u64, u32)> {
    Some(match unit {
        "%" => (Unit::None, 1, 2),
        "ns" => (Unit::Time, 1, 0),
        "us" => (Unit::Time, 1_000, 0),
        "ms" => (Unit::Time, 1_000_000, 0),
        "s" => (Unit::Time, 1_000_000_000, 0),
        "min" => (Unit::Time, 60_000_000_000, 0),
        "h" => (Unit::Time, 3_600_000_000_000, 0),
        "d" => (Unit::Time, 86_400_000_000_000, 0),
        "B" => (Unit::Bytes, 1, 0),
        "KiB" => (Unit::Bytes, 1_024, 0),
        "kB" => (Unit::Bytes, 1_000, 0),
        "MB" => (Unit::Bytes, 1_000_000, 0),
        "bit/s" => (Unit::Rate, 1, 0),
        "kbit/s" => (Unit::Rate, 1_000, 0),
        "Mbit/s" => (Unit::Rate, 1_000_000, 0),
        "Gbit/s" => (Unit::Rate, 1_000_000_000, 0),
        "/s" => (Unit::PerSecond, 1, 0),
        "/min" => (Unit::PerMinute, 1, 0),
        "datagrams" => (Unit::Datagrams, 1, 0),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_one_spelling() {
        for (written, spelled, cell) in [
            ("\"5 %\"", "0.05", "0.05"),
            ("0.05", "0.05", "0.05"),
            ("4.0", "4", "4"),
            ("4", "4", "4"),
            ("\"1.5 s\"", "1500ms", "1500000000"),
            ("\"2 min\"", "120s", "120000000000"),
            ("\"0 ms\"", "0s", "0"),
            ("\"1 KiB\"", "1024B", "1024"),
            ("\"64 kbit/s\"", "64kbit/s", "64000"),
            ("\"2000 kbit/s\"", "2Mbit/s", "2000000"),
            ("\"0.5 /min\"", "0.5/min", "0.5"),
            ("\"64 datagrams\"", "64datagrams", "64"),
            ("true", "true", "true"),
            ("\"wait\"", "wait", "wait"),
            ("'a=b, c'", "a%3Db%2C%20c", "a=b, c"),
        ] {
            let table: toml::Table = format!("v = {written}").parse().unwrap();
            let value = Value::read(&table["v"]).unwrap();
            assert_eq!((value.to_string(), value.cell()), (spelled.into(), cell.into()), "{written}");
            for whole in [false, true] {
                assert_eq!(
                    Value::read(&value.to_toml(whole)).as_ref(),
                    Ok(&value),
                    "{written}: what is set means the same"
                );
            }
        }
        for bad in ["{ mean = 1 }", "[1]", "nan", "1e-30", "1979-05-27"] {
            let table: toml::Table = format!("v = {bad}").parse().unwrap();
            assert!(Value::read(&table["v"]).is_err(), "{bad}");
        }
    }
}
