//! The page, section by section.

use std::collections::BTreeMap;

use crate::choices::Choice;
use crate::data::{Basis, CHOSEN_CODE, Case, Confidence, Data, Reason, Vector};
use crate::sources::Sources;
use crate::text::{heading, item, paragraph, plain, ranges, table};

pub(crate) const COMMAND: &str = "MAILSLOT_SIM_RENEW=1 cargo test --test conformance";

/// The kinds of vectors, in the order of the page, and what each is.
const CATEGORIES: [(&str, &str); 5] = [
    ("valid", "Well formed: the fields are read as listed, and written again byte for byte"),
    ("lenient", "Against a rule for senders, but taken"),
    ("semantic", "Well formed, but for nobody here: discarded"),
    ("nbns", "Packets of the name service"),
    ("malformed", "Refused"),
];

pub(crate) fn page(data: &Data, choices: &[Choice]) -> String {
    let mut page = String::new();
    let mut sources = Sources::default();
    heading(&mut page, 1, "Conformance");
    paragraph(
        &mut page,
        &format!(
            "What conforms, to which source, and every choice. This page is generated from `tests/data` and from the \
             comments in `src`; `{COMMAND}` renews it, and `cargo test` fails where it is out of date. That the engine does \
             what is listed here is what the tests `api_cases`, `vectors`, `recorded_calls` and `messages` show."
        ),
    );
    counts(&mut page, data);
    api_cases(&mut page, data, &mut sources);
    vectors(&mut page, data, &mut sources);
    recorded_calls(&mut page, data, &mut sources);
    capture(&mut page, data);
    all_choices(&mut page, data, choices);
    heading(&mut page, 2, "Sources");
    paragraph(&mut page, "As the data names them, and how many entries of which kind name each.");
    sources.write(&mut page);
    page
}

/// One line of the table of counts.
#[derive(Default)]
struct Count {
    /// To a standard, a document or a test on Windows.
    conformant: Vec<(String, usize)>,
    /// Agrees with another program, which is no proof of conformance.
    agree: Vec<(String, usize)>,
    choices: usize,
    explained: usize,
}

impl Count {
    fn row(&self, name: &str) -> [String; 7] {
        let sum = |parts: &[(String, usize)]| parts.iter().map(|(_, count)| count).sum::<usize>();
        let parts = self.conformant.iter().chain(&self.agree).filter(|(_, count)| *count > 0);
        let parts: Vec<String> = parts.map(|(what, count)| format!("{count} {what}")).collect();
        let (conformant, agree) = (sum(&self.conformant), sum(&self.agree));
        let numbers =
            [conformant + agree + self.choices + self.explained, conformant, agree, self.choices, self.explained];
        let [all, conformant, agree, choices, explained] = numbers.map(|number| number.to_string());
        [name.to_owned(), all, conformant, agree, choices, explained, parts.join(", ")]
    }
}

fn counts(page: &mut String, data: &Data) {
    heading(page, 2, "Counts");
    paragraph(
        page,
        "*Conformant* counts what rests on a test that runs on Windows, on a document of Microsoft or on an RFC, or \
         follows from one. *Agree* counts what another program does or shows too, which is evidence and no more. *Choices*, for which no source was \
         found, count as neither. *Explained* are rows in which the engine differs from the record, each with its reason.",
    );
    let cases = &data.cases.cases;
    let of = |confidence: Confidence| cases.iter().filter(|case| case.confidence == confidence).count();
    let conformant = Confidence::ALL.into_iter().filter(|it| *it != Confidence::Assumed);
    let api = Count {
        conformant: conformant.map(|confidence| (confidence.to_string(), of(confidence))).collect(),
        choices: of(Confidence::Assumed),
        ..Count::default()
    };
    let explained = data.rows.iter().filter(|row| data.reason(row).is_some()).count();
    let calls =
        Count { agree: vec![("with Wine 10.0".into(), data.rows.len() - explained)], explained, ..Count::default() };
    let captured = Count { agree: vec![("with Samba".into(), data.captured.len())], ..Count::default() };
    let (names, datagrams): (Vec<&Vector>, Vec<&Vector>) = data.vectors.iter().partition(|it| it.category == "nbns");
    table(
        page,
        ["data", "all", "conformant", "agree", "choices", "explained", "on what it rests"],
        &[
            api.row("API cases"),
            calls.row("recorded calls of Wine"),
            of_vectors(&datagrams).row("datagram vectors"),
            of_vectors(&names).row("name service vectors"),
            captured.row("captured Samba datagrams"),
        ],
    );
    let with_code = |confidence| cases.iter().filter(move |case| case.code_confidence == Some(confidence));
    let listed = |confidence| with_code(confidence).map(|case| format!("`{}`", case.id)).collect::<Vec<_>>().join(", ");
    paragraph(
        page,
        &format!(
            "Of the conformant API cases, {} conform in what happens, while the error code is a choice: {}. In {} the code \
             follows from a source that does not state it: {}. Of the explained rows of Wine, {} have a code that is a \
             choice.",
            with_code(Confidence::Assumed).count(),
            listed(Confidence::Assumed),
            with_code(Confidence::Derived).count(),
            listed(Confidence::Derived),
            data.reasons.iter().filter(|it| it.has_chosen_code()).map(|it| it.rows.len()).sum::<usize>(),
        ),
    );
}

fn of_vectors(vectors: &[&Vector]) -> Count {
    let mut count = Count::default();
    let mut standards = BTreeMap::new();
    let mut shown = 0;
    for vector in vectors {
        match vector.basis() {
            // [MS-MAIL] without its sections.
            Basis::Standard(title) => *standards.entry(title.split_inclusive(']').next().unwrap()).or_insert(0) += 1,
            Basis::Choice(_) => count.choices += 1,
            Basis::Wireshark => shown += 1,
        }
    }
    count.conformant = standards.into_iter().map(|(title, standing)| (title.to_owned(), standing)).collect();
    count.agree = vec![("with Wireshark".to_owned(), shown)];
    count
}

fn api_cases(page: &mut String, data: &Data, sources: &mut Sources) {
    heading(page, 2, "API cases");
    paragraph(
        page,
        "By confidence and source: identifier, profile (the versions of Windows), what the case says or, where it gives no \
         words, its calls.",
    );
    for confidence in Confidence::ALL {
        let cases: Vec<&Case> = data.cases.cases.iter().filter(|case| case.confidence == confidence).collect();
        let title = confidence.to_string();
        heading(page, 3, &format!("{}{} ({})", title[..1].to_uppercase(), &title[1..], cases.len()));
        let meaning = data.cases.confidence[confidence.key()].as_str().unwrap();
        paragraph(page, &format!("In the data `{}`: {meaning}.", confidence.key()));
        for (source, cases) in grouped(&cases, |case| case.source.as_str()) {
            paragraph(page, &plain(&sources.titles(source, "API cases", cases.len())));
            for case in cases {
                item(page, &api_case(case));
            }
            page.push('\n');
        }
    }
}

fn api_case(case: &Case) -> String {
    let mark = match (case.confidence, case.code_confidence) {
        (Confidence::Assumed, _) => " **A choice.**",
        (_, Some(Confidence::Assumed)) => " **The code is a choice.**",
        (_, Some(Confidence::Derived)) => " The code is derived.",
        _ => "",
    };
    format!("`{}`, {}: {}.{mark}", case.id, case.profile, plain(&case.says()))
}

/// Entries with the same key together, in the order of first appearance.
fn grouped<'a, T, K: PartialEq>(entries: &[&'a T], key: impl Fn(&'a T) -> K) -> Vec<(K, Vec<&'a T>)> {
    let mut groups: Vec<(K, Vec<&T>)> = Vec::new();
    for entry in entries {
        let key = key(entry);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, entries)) => entries.push(entry),
            None => groups.push((key, vec![entry])),
        }
    }
    groups
}

fn vectors(page: &mut String, data: &Data, sources: &mut Sources) {
    heading(page, 2, "Vectors");
    paragraph(
        page,
        "By kind and basis: name, what is expected of the profile `windows`, and of `strict` where that differs, and why.",
    );
    let known = |vector: &Vector| CATEGORIES.iter().any(|(category, _)| *category == vector.category);
    let unknown = data.vectors.iter().find(|vector| !known(vector));
    assert!(unknown.is_none(), "{}: its category has no place on the page", unknown.unwrap().name);
    for (category, meaning) in CATEGORIES {
        let vectors: Vec<&Vector> = data.vectors.iter().filter(|vector| vector.category == category).collect();
        heading(page, 3, &format!("{meaning} ({})", vectors.len()));
        for (basis, vectors) in grouped(&vectors, |vector| vector.basis()) {
            let lead = match basis {
                Basis::Standard(title) => {
                    format!("{} ({})", sources.titles(title, "vectors", vectors.len()), vectors.len())
                }
                Basis::Choice(words) => format!("**A {words}** ({})", vectors.len()),
                Basis::Wireshark => {
                    let shown = vectors.iter().filter(|vector| vector.is_shown_by_scapy()).count();
                    let scapy = if shown > 0 { format!(", of {shown} scapy and impacket too") } else { String::new() };
                    format!("Wireshark shows the same fields of {}{scapy}.", vectors.len())
                }
            };
            paragraph(page, &lead);
            for vector in vectors {
                let strict = vector.strict_expect.as_ref().filter(|strict| **strict != vector.expect);
                let strict = strict.map_or(String::new(), |strict| format!(" (strict: {strict})"));
                let note =
                    vector.note.as_ref().map_or(String::new(), |note| format!(" {}.", note.trim_end_matches('.')));
                let why = plain(&format!("{}.{note}", vector.why));
                item(page, &format!("`{}`, {}{strict}: {why}", vector.name, vector.expect));
            }
            page.push('\n');
        }
    }
}

fn recorded_calls(page: &mut String, data: &Data, sources: &mut Sources) {
    heading(page, 2, "Recorded calls of Wine 10.0");
    paragraph(
        page,
        "What a C program got under Wine, call by call, and what the engine does in the profile of Windows XP, since Wine \
         enforces share modes as XP did. Wine is not Windows: where the two differ, the engine follows Windows. Rows have \
         the numbers of the record, some of whose calls are left out.",
    );
    let mut cases: Vec<(&str, usize, usize)> = Vec::new();
    for row in &data.rows {
        if !cases.iter().any(|(name, ..)| *name == row.case) {
            cases.push((&row.case, 0, 0));
        }
        let (_, rows, agree) = cases.iter_mut().find(|(name, ..)| *name == row.case).expect("it was just put there");
        *rows += 1;
        *agree += usize::from(data.reason(row).is_none());
    }
    let rows = cases
        .iter()
        .map(|(name, rows, agree)| [name.to_string(), rows.to_string(), agree.to_string(), (rows - agree).to_string()]);
    table(page, ["case", "rows", "agree", "explained"], &rows.collect::<Vec<_>>());
    for (kind, meaning) in [("windows", "Windows does something else"), ("outside", "Not a call of mailslots")] {
        let reasons: Vec<&Reason> = data.reasons.iter().filter(|reason| reason.kind == kind).collect();
        let rows: usize = reasons.iter().map(|reason| reason.rows.len()).sum();
        heading(page, 3, &format!("{meaning} ({rows} rows)"));
        for reason in reasons {
            let why = plain(&reason.why).replace(CHOSEN_CODE, &format!("**{CHOSEN_CODE}**"));
            let keys = sources.keys(&reason.source, "reasons", 1);
            let rows = if reason.rows.len() == 1 { "row" } else { "rows" };
            item(
                page,
                &format!(
                    "`{}`, {rows} {}: {}. {why} {keys}",
                    reason.op,
                    ranges(&reason.rows),
                    plain(&reason.disagreement.join("; ")),
                ),
            );
        }
        page.push('\n');
    }
}

fn capture(page: &mut String, data: &Data) {
    heading(page, 2, "Datagrams captured from Samba");
    paragraph(
        page,
        "The browser election of three Samba hosts in `scenarios/data/samba-election.pcap`. Each datagram to port 138 is \
         read under the strict profile and rebuilt byte for byte from its values.",
    );
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    data.captured.iter().for_each(|kind| *kinds.entry(kind).or_default() += 1);
    let rows = kinds.iter().map(|(kind, count)| [kind.to_string(), count.to_string()]);
    table(page, ["frame", "datagrams"], &rows.collect::<Vec<_>>());
}

fn all_choices(page: &mut String, data: &Data, choices: &[Choice]) {
    heading(page, 2, "Choices");
    paragraph(
        page,
        "What no source settles. Where sources contradict each other, [messages.md](messages.md) says for the well-known \
         mailslots which one is followed.",
    );
    let (constants, others): (Vec<&Choice>, Vec<&Choice>) = choices.iter().partition(|choice| choice.value.is_some());
    heading(page, 3, &format!("Constants ({})", constants.len()));
    for (module, constants) in grouped(&constants, |choice| choice.module.as_str()) {
        paragraph(page, &format!("`{module}`:"));
        for choice in constants {
            let value = choice.value.as_ref().expect("a constant");
            let name = choice.item.as_deref().expect("a constant has a name");
            item(page, &format!("`{name}` = `{value}`: {}", plain(&choice.text)));
        }
        page.push('\n');
    }
    heading(page, 3, &format!("Behaviour without a constant ({})", others.len()));
    for choice in others {
        let item_of = choice.item.as_ref().map_or(String::new(), |item| format!("::{item}"));
        item(page, &format!("`{}{item_of}`: {}", choice.module, plain(&choice.text)));
    }
    page.push('\n');
    let cases = |is: fn(&Case) -> bool| {
        let ids: Vec<String> = data.cases.cases.iter().filter(|it| is(it)).map(|it| format!("`{}`", it.id)).collect();
        (ids.len(), ids.join(", "))
    };
    let (whole, whole_ids) = cases(|case| case.confidence == Confidence::Assumed);
    let (codes, code_ids) =
        cases(|case| case.confidence != Confidence::Assumed && case.code_confidence == Some(Confidence::Assumed));
    let chosen = data.vectors.iter().filter(|vector| matches!(vector.basis(), Basis::Choice(_)));
    let chosen: Vec<String> = chosen.map(|vector| format!("`{}`", vector.name)).collect();
    let codes_of_rows = data.reasons.iter().filter(|it| it.has_chosen_code()).flat_map(|it| it.rows.iter().copied());
    let codes_of_rows: Vec<u64> = codes_of_rows.collect();
    heading(page, 3, "In the data");
    for (what, count, names) in [
        ("API cases", whole, whole_ids),
        ("Error codes of API cases whose behaviour conforms", codes, code_ids),
        ("Refused vectors", chosen.len(), chosen.join(", ")),
        ("Error codes of explained rows of Wine", codes_of_rows.len(), ranges(&codes_of_rows)),
    ] {
        item(page, &format!("{what} ({count}): {names}."));
    }
    page.push('\n');
}
