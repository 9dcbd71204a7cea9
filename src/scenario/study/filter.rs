//! Filters: comparisons of axes, as `where` and `--filter` have them: `loss > 0.1 && (burst == 4 || !(reader == "wait"))`.
//!
//! A filter is checked when it is read: every name is an axis, and what is compared can be. So looking at a point cannot fail.

use std::cmp::Ordering;

use toml::Value as Toml;

use super::value::Value;

/// Which points are meant.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Compare(Operand, Operator, Operand),
}

/// One side of a comparison.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Operand {
    /// The position of an axis.
    Axis(usize),
    Value(Value),
}

/// How two values are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Why a text is no filter, and which bytes of it are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wrong {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) message: String,
    /// The name that nothing is called, if that is wrong.
    pub(crate) unknown: Option<String>,
}

impl Filter {
    /// Reads a filter. The axes have a name, and one value of theirs stands for all.
    pub(crate) fn parse(text: &str, axes: &[(&str, &Value)]) -> Result<Self, Wrong> {
        let mut parser = Parser { text, at: 0, axes, depth: 0, comparisons: 0 };
        let filter = parser.any()?;
        match parser.rest().is_empty() {
            true => Ok(filter),
            false => Err(parser.wrong_here("`&&` or `||` is expected here, or the end")),
        }
    }

    /// Whether a point with these values, in the order of the axes, is meant.
    pub(crate) fn keeps(&self, point: &[&Value]) -> bool {
        match self {
            Filter::Any(filters) => filters.iter().any(|filter| filter.keeps(point)),
            Filter::All(filters) => filters.iter().all(|filter| filter.keeps(point)),
            Filter::Not(one) => !one.keeps(point),
            Filter::Compare(left, operator, right) => operator.holds(left.of(point).compare(right.of(point))),
        }
    }
}

impl Operand {
    fn of<'a>(&'a self, point: &[&'a Value]) -> &'a Value {
        match self {
            Operand::Axis(position) => point[*position],
            Operand::Value(value) => value,
        }
    }
}

impl Operator {
    fn holds(self, ordering: Option<Ordering>) -> bool {
        match self {
            Operator::Equal => ordering == Some(Ordering::Equal),
            Operator::NotEqual => ordering != Some(Ordering::Equal),
            Operator::Less => ordering == Some(Ordering::Less),
            Operator::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            Operator::Greater => ordering == Some(Ordering::Greater),
            Operator::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    axes: &'a [(&'a str, &'a Value)],
    depth: usize,
    comparisons: usize,
}

impl<'a> Parser<'a> {
    /// What is left, without the spaces before it.
    fn rest(&mut self) -> &'a str {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len();
        rest
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = self.rest().starts_with(symbol);
        self.at += if found { symbol.len() } else { 0 };
        found
    }

    fn any(&mut self) -> Result<Filter, Wrong> {
        let mut filters = vec![self.all()?];
        while self.take("||") {
            filters.push(self.all()?);
        }
        Ok(Filter::Any(filters))
    }

    fn all(&mut self) -> Result<Filter, Wrong> {
        let mut filters = vec![self.one()?];
        while self.take("&&") {
            filters.push(self.one()?);
        }
        Ok(Filter::All(filters))
    }

    fn one(&mut self) -> Result<Filter, Wrong> {
        let is_not = !self.rest().starts_with("!=") && self.take("!");
        if !is_not && !self.take("(") {
            return self.comparison();
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong_here(&format!("more than {MAX_DEPTH} `!` and `(` within each other (MAX_DEPTH)")));
        }
        let filter = if is_not { Filter::Not(Box::new(self.one()?)) } else { self.any()? };
        if !is_not && !self.take(")") {
            return Err(self.wrong_here("`)` is expected here"));
        }
        self.depth -= 1;
        Ok(filter)
    }

    fn comparison(&mut self) -> Result<Filter, Wrong> {
        self.comparisons += 1;
        if self.comparisons > MAX_COMPARISONS {
            return Err(self.wrong_here(&format!("more than {MAX_COMPARISONS} comparisons (MAX_COMPARISONS)")));
        }
        self.rest();
        let start = self.at;
        let left = self.operand()?;
        self.rest();
        let symbol = self.at;
        let operators = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let Some((_, operator)) = operators.into_iter().find(|(symbol, _)| self.take(symbol)) else {
            let hint = if self.rest().starts_with('=') {
                "`=` is written `==` here"
            } else {
                "a comparison is expected here: `==`, `!=`, `<`, `<=`, `>` or `>=`"
            };
            return Err(self.wrong_here(hint));
        };
        let symbol = symbol..self.at;
        let right = self.operand()?;
        let first = |operand: &Operand| match operand {
            Operand::Axis(position) => self.axes[*position].1.clone(),
            Operand::Value(value) => value.clone(),
        };
        let (one, another) = (first(&left), first(&right));
        if one.kind() != another.kind() {
            let message = format!("{} and {} cannot be compared", one.kind(), another.kind());
            return Err(Wrong { start, end: self.at, message, unknown: None });
        }
        let is_ordered = matches!(one, Value::Quantity(..));
        if !is_ordered && !matches!(operator, Operator::Equal | Operator::NotEqual) {
            let message = format!("{} have no order: `==` or `!=`", one.kind());
            return Err(Wrong { start: symbol.start, end: symbol.end, message, unknown: None });
        }
        Ok(Filter::Compare(left, operator, right))
    }

    fn operand(&mut self) -> Result<Operand, Wrong> {
        let rest = self.rest();
        let start = self.at;
        let wrong = |end: usize, message: String| Wrong { start, end, message, unknown: None };
        match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let Some(length) = rest[1..].find(quote) else {
                    return Err(wrong(self.text.len(), format!("the text has no {quote} at its end")));
                };
                self.at += length + 2;
                let text = &rest[1..=length];
                Value::read(&Toml::String(text.to_owned())).map(Operand::Value).map_err(|why| wrong(self.at, why))
            }
            Some('0'..='9' | '.' | '-' | '/') => {
                let number = rest.find(|c: char| !c.is_ascii_digit() && !".-".contains(c)).unwrap_or(rest.len());
                let after = rest[number..].trim_start();
                let unit = after.find(|c: char| !c.is_ascii_alphabetic() && !"%/".contains(c)).unwrap_or(after.len());
                let length = if unit == 0 { number } else { rest.len() - after.len() + unit };
                self.at += length;
                let (number, written) = (&rest[..number], &rest[..length]);
                let value = match unit {
                    0 => number.parse().map(Toml::Float).ok(),
                    _ => Some(Toml::String(written.to_owned())),
                };
                match value.and_then(|value| Value::read(&value).ok()) {
                    Some(value @ Value::Quantity(..)) => Ok(Operand::Value(value)),
                    _ => Err(wrong(self.at, format!("`{written}` is no number, with a unit or without"))),
                }
            }
            Some(c) if is_name_start(c) => {
                let length = rest.find(|c: char| !is_name_part(c)).unwrap_or(rest.len());
                self.at += length;
                let name = &rest[..length];
                match (name, self.axes.iter().position(|(axis, _)| *axis == name)) {
                    (_, Some(position)) => Ok(Operand::Axis(position)),
                    ("true" | "false", None) => Ok(Operand::Value(Value::Boolean(name == "true"))),
                    (_, None) => {
                        let message = format!("no axis is called `{name}`; a text stands in quotes");
                        Err(Wrong { unknown: Some(name.to_owned()), ..wrong(self.at, message) })
                    }
                }
            }
            _ => Err(self.wrong_here("an axis or a value is expected here")),
        }
    }

    /// Something else is expected where the parser stands.
    fn wrong_here(&mut self, message: &str) -> Wrong {
        let next = self.rest().chars().next().map_or(0, char::len_utf8);
        Wrong { start: self.at, end: self.at + next, message: message.to_owned(), unknown: None }
    }
}

/// Whether a filter can spell the name of an axis.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(is_name_start) && name.chars().all(is_name_part) && !["true", "false"].contains(&name)
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The most `!` and `(` within each other.
const MAX_DEPTH: usize = 64;
/// The most comparisons.
const MAX_COMPARISONS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        let table: toml::Table = format!("v = {text}").parse().unwrap();
        Value::read(&table["v"]).unwrap()
    }

    /// Whether a filter keeps the point with a loss of 5 %, bursts of 4, a delay of 10 ms, and a reader that waits.
    fn keeps(filter: &str) -> Result<bool, Wrong> {
        let values = ["\"5 %\"", "4.0", "\"10 ms\"", "\"wait\"", "true"].map(value);
        let axes: Vec<(&str, &Value)> = ["loss", "burst", "delay", "reader", "open"].into_iter().zip(&values).collect();
        Filter::parse(filter, &axes).map(|filter| filter.keeps(&values.each_ref()))
    }

    #[test]
    fn comparisons_are_by_value() {
        for (filter, kept) in [
            ("loss == 0.05", true),
            ("loss==5%", true),
            ("loss == \"5 %\"", true),
            ("5 % == loss", true),
            ("loss > 0.05", false),
            ("loss >= 0.05", true),
            ("loss != 0.05", false),
            ("loss < 10 %", true),
            ("burst <= 4", true),
            ("burst < 4", false),
            ("delay == 0.01 s", true),
            ("delay > 9ms", true),
            ("reader == 'wait'", true),
            ("reader != \"never\"", true),
            ("open == true", true),
        ] {
            assert_eq!(keeps(filter), Ok(kept), "{filter}");
        }
    }

    #[test]
    fn and_binds_tighter_than_or_and_not_tightest() {
        let [yes, no] = ["burst == 4", "burst == 5"];
        for (filter, kept) in [
            (format!("{yes} || {no} && {no}"), true),
            (format!("({yes} || {no}) && {no}"), false),
            (format!("!({yes}) || {yes}"), true),
            (format!("!{no} && {yes}"), true),
            (format!("!!{yes}"), true),
        ] {
            assert_eq!(keeps(&filter), Ok(kept), "{filter}");
        }
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (filter, at, message) in [
            ("", 0..0, "an axis or a value"),
            ("loss", 4..4, "a comparison is expected"),
            ("loss = 5 %", 5..6, "`==`"),
            ("loss == 5 % burst == 4", 12..13, "`&&` or `||`"),
            ("lost == 5 %", 0..4, "no axis is called `lost`"),
            ("delay == 10", 0..11, "times and numbers cannot be compared"),
            ("delay == 10 bananas", 9..19, "`10 bananas` is no number"),
            ("reader < 'wait'", 7..8, "texts have no order"),
            ("(loss == 5 %", 12..12, "`)`"),
            ("reader == 'wait", 10..15, "no ' at its end"),
            ("loss == 1.2.3", 8..13, "no number"),
            ("§", 0..2, "an axis or a value"),
        ] {
            let wrong = keeps(filter).unwrap_err();
            assert_eq!(wrong.start..wrong.end, at, "{filter}: {wrong:?}");
            assert!(wrong.message.contains(message), "{filter}: {wrong:?}");
        }
        assert!(keeps(&vec!["burst == 4"; 1_001].join(" && ")).unwrap_err().message.contains("MAX_COMPARISONS"));
        assert!(keeps(&format!("{}loss == 5 %", "(".repeat(100_000))).unwrap_err().message.contains("MAX_DEPTH"));
    }
}
