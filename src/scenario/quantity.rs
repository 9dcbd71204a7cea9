//! The values that scenario files write as text: times, sizes, frequencies, probabilities.
//!
//! Each is a number and a unit. A bare number is refused, since nobody can know what its unit would be; numbers are
//! decimal and exact, and a value that would have to be rounded is refused too.

use std::borrow::Cow;
use std::num::NonZeroU64;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Value;

use crate::link::{Probability, QueueLimit};
use crate::time::Duration;

/// A value that is written as text and has a `format` of its own in the schema.
pub(super) trait Quantity: Sized {
    /// Its name in the schema.
    const FORMAT: &'static str;
    /// Two examples for the schema.
    const EXAMPLES: [&'static str; 2];
    /// What it is, for the schema and for messages.
    const DESCRIPTION: &'static str;

    /// Reads it; the error says what would be right.
    fn read(value: &Value) -> Result<Self, String>;
}

/// A span of time of at most [`MAX_TIME`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Time(pub(super) Duration);

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Bytes(pub(super) u32);

/// How often something happens, as the mean time between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frequency {
    pub(super) mean_gap: Duration,
}

/// A probability.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Chance(pub(super) Probability);

/// Bits per second, at most [`MAX_RATE`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rate(pub(super) NonZeroU64);

/// What may wait in a queue: datagrams, at most [`MAX_QUEUE`], or bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Queue(pub(super) QueueLimit);

/// The fastest link, in bits per second.
const MAX_RATE: u64 = 1_000_000_000_000;
/// The longest queue, in datagrams.
const MAX_QUEUE: u64 = 1_000_000;

/// The longest time that a scenario can say: ten years.
pub(super) const MAX_TIME: Duration = Duration::from_secs(10 * 365 * 86_400);

impl Quantity for Time {
    const FORMAT: &'static str = "time";
    const EXAMPLES: [&'static str; 2] = ["20 ms", "1.5 s"];
    const DESCRIPTION: &'static str = "a time: a number and one of ns, us, ms, s, min, h, d";

    fn read(value: &Value) -> Result<Self, String> {
        let units = [
            ("ns", 1),
            ("us", 1_000),
            ("ms", 1_000_000),
            ("s", 1_000_000_000),
            ("min", 60_000_000_000),
            ("h", 3_600_000_000_000),
            ("d", 86_400_000_000_000),
        ];
        let nanos = amount::<Self>(value, &units, "finer than 1 ns")?;
        if nanos > MAX_TIME.nanos() {
            return Err(format!("`{}` is longer than the limit of 3650 d (MAX_TIME)", shown(value)));
        }
        Ok(Time(Duration::from_nanos(nanos)))
    }
}

/// Reads a time as scenario files write it: `"20 ms"`.
///
/// # Errors
///
/// What would be right.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    Time::read(&Value::String(text.to_owned())).map(|Time(time)| time)
}

impl Quantity for Bytes {
    const FORMAT: &'static str = "bytes";
    const EXAMPLES: [&'static str; 2] = ["64 B", "1 KiB"];
    const DESCRIPTION: &'static str = "a size: a number and one of B, KiB, kB, MB";

    fn read(value: &Value) -> Result<Self, String> {
        let units = [("B", 1), ("KiB", 1_024), ("kB", 1_000), ("MB", 1_000_000)];
        let bytes = amount::<Self>(value, &units, "not a whole number of bytes")?;
        u32::try_from(bytes).map(Bytes).map_err(|_| format!("`{}` is more than 4294967295 B", shown(value)))
    }
}

impl Quantity for Frequency {
    const FORMAT: &'static str = "frequency";
    const EXAMPLES: [&'static str; 2] = ["10 /s", "0.5 /min"];
    const DESCRIPTION: &'static str = "a frequency: a number and one of /s, /min";

    fn read(value: &Value) -> Result<Self, String> {
        let wrong = || unlike::<Self>(value);
        let (number, unit) = split(value.as_str().ok_or_else(wrong)?).ok_or_else(wrong)?;
        let period = match unit {
            "/s" => Duration::from_secs(1),
            "/min" => Duration::from_secs(60),
            _ => return Err(wrong()),
        };
        let per_period: f64 = number.parse().map_err(|_| wrong())?;
        let gap = period.nanos() as f64 / per_period;
        if !(1.0..=MAX_TIME.nanos() as f64).contains(&gap) {
            return Err(format!("`{}` is not between one in 3650 d and one in 1 ns", shown(value)));
        }
        Ok(Frequency { mean_gap: Duration::from_nanos(gap.round() as u64) })
    }
}

impl Quantity for Chance {
    const FORMAT: &'static str = "probability";
    const EXAMPLES: [&'static str; 2] = ["5 %", "0.1 %"];
    const DESCRIPTION: &'static str = "a probability: a percentage, or a float from 0.0 to 1.0";

    fn read(value: &Value) -> Result<Self, String> {
        let wrong = || unlike::<Self>(value);
        let number = match value {
            Value::Float(number) => *number,
            Value::Integer(0) => 0.0,
            Value::Integer(whole) => {
                return Err(format!(
                    "{whole} could be {whole} % or more than certain; write \"{whole} %\", or a float from 0.0 to 1.0"
                ));
            }
            Value::String(text) => {
                let (number, unit) = split(text).ok_or_else(wrong)?;
                if unit != "%" {
                    return Err(wrong());
                }
                format!("{number}e-2").parse().map_err(|_| wrong())?
            }
            _ => return Err(wrong()),
        };
        Probability::new(number).map(Chance).ok_or_else(|| {
            format!(
                "{} is not a probability; write a percentage from 0 to 100, or a float from 0.0 to 1.0",
                shown(value)
            )
        })
    }
}

impl Quantity for Rate {
    const FORMAT: &'static str = "rate";
    const EXAMPLES: [&'static str; 2] = ["2 Mbit/s", "64 kbit/s"];
    const DESCRIPTION: &'static str = "a rate: a number and one of bit/s, kbit/s, Mbit/s, Gbit/s";

    fn read(value: &Value) -> Result<Self, String> {
        let units = [("bit/s", 1), ("kbit/s", 1_000), ("Mbit/s", 1_000_000), ("Gbit/s", 1_000_000_000)];
        let bits = amount::<Self>(value, &units, "not a whole number of bits per second")?;
        let rate = NonZeroU64::new(bits).filter(|_| bits <= MAX_RATE);
        rate.map(Rate).ok_or_else(|| format!("`{}` is not from 1 bit/s to 1000 Gbit/s (MAX_RATE)", shown(value)))
    }
}

impl Quantity for Queue {
    const FORMAT: &'static str = "queue";
    const EXAMPLES: [&'static str; 2] = ["64 datagrams", "32 KiB"];
    const DESCRIPTION: &'static str = "the length of a queue: a number and one of datagrams, B, KiB, kB, MB";

    fn read(value: &Value) -> Result<Self, String> {
        let units = [("datagrams", 1), ("B", 1), ("KiB", 1_024), ("kB", 1_000), ("MB", 1_000_000)];
        let length = amount::<Self>(value, &units, "not a whole number")?;
        if value.as_str().is_some_and(|text| text.ends_with("datagrams")) {
            let too_long = || format!("`{}` is more than {MAX_QUEUE} datagrams (MAX_QUEUE)", shown(value));
            let limit = u32::try_from(length).ok().filter(|_| length <= MAX_QUEUE).ok_or_else(too_long)?;
            return Ok(Queue(QueueLimit::Datagrams(limit)));
        }
        let bytes = u32::try_from(length).map_err(|_| format!("`{}` is more than 4294967295 B", shown(value)))?;
        Ok(Queue(QueueLimit::Bytes(bytes)))
    }
}

/// The checks of all quantities, by the format that the schema gives them.
pub(super) fn check_format(format: &str, value: &Value) -> Option<Result<(), String>> {
    fn check<Q: Quantity>(value: &Value) -> Result<(), String> {
        Q::read(value).map(|_| ())
    }
    Some(match format {
        Time::FORMAT => check::<Time>(value),
        Bytes::FORMAT => check::<Bytes>(value),
        Frequency::FORMAT => check::<Frequency>(value),
        Chance::FORMAT => check::<Chance>(value),
        Rate::FORMAT => check::<Rate>(value),
        Queue::FORMAT => check::<Queue>(value),
        _ => return None,
    })
}

/// An exact number of the smallest unit.
fn amount<Q: Quantity>(value: &Value, units: &[(&str, u64)], too_fine: &str) -> Result<u64, String> {
    let wrong = || unlike::<Q>(value);
    let (number, unit) = split(value.as_str().ok_or_else(wrong)?).ok_or_else(wrong)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit).ok_or_else(|| match nearest(unit, units) {
        Some(near) => format!("{}; did you mean `{number} {near}`?", wrong()),
        None => wrong(),
    })?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let scale = 10_u128.checked_pow(decimals.len() as u32);
    let scale = scale.ok_or_else(|| format!("`{}` is {too_fine}", shown(value)))?;
    let too_large = || format!("`{}` is too large", shown(value));
    let digits: u128 = [whole, decimals].concat().parse().map_err(|_| too_large())?;
    let scaled = digits.checked_mul(u128::from(*factor)).ok_or_else(too_large)?;
    if scaled % scale != 0 {
        return Err(format!("`{}` is {too_fine}", shown(value)));
    }
    u64::try_from(scaled / scale).map_err(|_| too_large())
}

/// The number and the unit of a text like `1.5 ms`; the space may be missing.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(end);
    let well_formed = number.starts_with(|c: char| c.is_ascii_digit())
        && number.ends_with(|c: char| c.is_ascii_digit())
        && number.matches('.').count() <= 1;
    well_formed.then(|| (number, unit.trim()))
}

/// The unit that a wrong one was meant to be.
fn nearest<'a>(unit: &str, units: &[(&'a str, u64)]) -> Option<&'a str> {
    let long_forms = [("m", "min"), ("sec", "s"), ("hour", "h"), ("day", "d"), ("milli", "ms"), ("micro", "us")];
    let lower = unit.to_lowercase();
    let long = long_forms.iter().rev().find(|(form, _)| lower.starts_with(form)).map(|(_, unit)| *unit);
    let same = units.iter().map(|(name, _)| *name).find(|name| name.eq_ignore_ascii_case(unit));
    same.or_else(|| units.iter().map(|(name, _)| *name).find(|name| long == Some(name)))
}

fn unlike<Q: Quantity>(value: &Value) -> String {
    format!("`{}` is not {}, like \"{}\"", shown(value), Q::DESCRIPTION, Q::EXAMPLES[0])
}

/// A value as the user wrote it, or nearly so.
pub(super) fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A text, cut where it would only fill the screen.
pub(super) fn clipped(text: &str) -> String {
    shown(&Value::String(text.to_owned()))
}

/// Lets a quantity be a field of the file types: read by serde, described by schemars.
macro_rules! field_type {
    ($($name:ident: $kind:tt;)*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $name::read(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!($kind);
                schema.insert("format".into(), $name::FORMAT.into());
                schema.insert("description".into(), $name::DESCRIPTION.into());
                schema.insert("examples".into(), $name::EXAMPLES.to_vec().into());
                schema
            }
        }
    )*};
}

field_type! {
    Time: { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*(ns|us|ms|s|min|h|d)$" };
    Bytes: { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*(B|KiB|kB|MB)$" };
    Frequency: { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*/(s|min)$" };
    Rate: { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*[kMG]?bit/s$" };
    Queue: { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*(datagrams|B|KiB|kB|MB)$" };
    Chance: { "anyOf": [
        { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*%$" },
        { "type": "number", "minimum": 0.0, "maximum": 1.0 },
    ] };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::String(text.into())
    }

    #[test]
    fn times_are_exact() {
        for (written, nanos) in [("0 s", 0), ("20ms", 20_000_000), ("1.5 us", 1_500), ("2 d", 172_800_000_000_000)] {
            assert_eq!(Time::read(&text(written)), Ok(Time(Duration::from_nanos(nanos))), "{written}");
        }
        assert!(Time::read(&text("1.5 ns")).unwrap_err().contains("finer than 1 ns"));
        assert!(Time::read(&text("4000 d")).unwrap_err().contains("MAX_TIME"));
        assert!(Time::read(&text("99999999999999999999999999999999999999999 d")).is_err());
    }

    #[test]
    fn wrong_units_are_named_with_the_right_ones() {
        let message = Time::read(&text("10 bananas")).unwrap_err();
        assert!(message.contains("`10 bananas` is not a time") && message.contains("ns, us, ms, s, min, h, d"));
        assert!(Time::read(&text("10 sec")).unwrap_err().contains("did you mean `10 s`?"));
        assert!(Time::read(&text("10 m")).unwrap_err().contains("did you mean `10 min`?"));
        assert!(Bytes::read(&text("10 kb")).unwrap_err().contains("did you mean `10 kB`?"));
        for bad in ["", "ms", "1.", ".5 s", "1.2.3 s", "-1 s", "1e3 s", "1 000 s", "１ s"] {
            assert!(Time::read(&text(bad)).is_err(), "{bad:?}");
        }
        assert!(Time::read(&Value::Integer(5)).is_err(), "a bare number for a time is an error");
    }

    #[test]
    fn probabilities_are_percentages_or_floats() {
        for (value, expected) in
            [(text("5 %"), 0.05), (text("0.1%"), 0.001), (Value::Float(0.25), 0.25), (Value::Integer(0), 0.0)]
        {
            assert_eq!(Chance::read(&value).map(|chance| chance.0.value()), Ok(expected));
        }
        assert!(Chance::read(&Value::Integer(5)).unwrap_err().contains("\"5 %\""));
        for bad in
            [text("5"), text("101 %"), text("5 s"), Value::Float(1.5), Value::Float(f64::NAN), Value::Boolean(true)]
        {
            assert!(Chance::read(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn rates_and_queues_have_limits() {
        assert_eq!(Rate::read(&text("1.5 Mbit/s")).unwrap().0.get(), 1_500_000);
        assert!(Rate::read(&text("0.5 bit/s")).unwrap_err().contains("not a whole number of bits per second"));
        assert!(Rate::read(&text("2 mbit/s")).unwrap_err().contains("did you mean `2 Mbit/s`?"));
        for bad in ["0 bit/s", "1001 Gbit/s"] {
            assert!(Rate::read(&text(bad)).unwrap_err().contains("MAX_RATE"));
        }
        assert!(Rate::read(&text("2 MB")).unwrap_err().contains("is not a rate"));
        assert_eq!(Queue::read(&text("64 datagrams")), Ok(Queue(QueueLimit::Datagrams(64))));
        assert_eq!(Queue::read(&text("2 KiB")), Ok(Queue(QueueLimit::Bytes(2048))));
        assert!(Queue::read(&text("1000001 datagrams")).unwrap_err().contains("MAX_QUEUE"));
        assert!(Queue::read(&text("64 packets")).unwrap_err().contains("is not the length of a queue"));
        assert!(Queue::read(&Value::Integer(64)).is_err());
    }

    #[test]
    fn frequencies_are_mean_gaps() {
        assert_eq!(Frequency::read(&text("10 /s")).unwrap().mean_gap, Duration::from_millis(100));
        assert_eq!(Frequency::read(&text("0.5 /min")).unwrap().mean_gap, Duration::from_secs(120));
        assert!(Frequency::read(&text("0 /s")).is_err());
        assert!(Frequency::read(&text("10 s")).is_err());
    }
}
