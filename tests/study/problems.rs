//! What is wrong with a study is said with its place.

use super::{Desk, GRID};

/// The scenario without its study, and this one instead.
fn with_study(study: &str) -> String {
    format!("{}{study}\n", &GRID[..GRID.find("[study]").unwrap()])
}

/// An axis over the mean loss.
fn axis(lines: &str) -> String {
    with_study(&format!("[study.axes.loss]\nset = \"link.switch.loss.mean\"\n{lines}"))
}

/// Checks that `check` and `study` refuse a scenario with these words, at the last place of `marked` in it.
fn refused(scenario: &str, marked: &str, words: &[&str]) {
    let at = scenario.rfind(marked).expect("a place");
    let (row, column) = (scenario[..at].matches('\n').count() + 1, at - scenario[..at].rfind('\n').unwrap());
    let place = format!("grid.toml:{row}:{column}");
    let desk = Desk::with(scenario);
    for command in [&["check", "grid.toml"][..], &["study", "grid.toml", "--list"]] {
        desk.run(command).exits(96).says(words).says(&[&place]);
    }
}

#[test]
fn an_axis_sets_what_there_is() {
    let with_path = |path: &str| with_study(&format!("[study.axes.x]\nset = \"{path}\"\nvalues = [\"1 %\", \"2 %\"]"));
    refused(
        &with_path("link.swich.loss.mean"),
        "\"link.swich",
        &["`link.swich.loss.mean` names nothing", "did you mean `link.switch`?"],
    );
    refused(
        &with_path("link.switch.los"),
        "\"link.switch.los\"",
        &["point x=0.01: unknown key `los`", "did you mean `loss`?"],
    );
    refused(&with_path("host.CTL.domain"), "\"host.CTL", &["did you mean `host.CTRL`?"]);
    refused(&with_path("duration.mean"), "\"duration", &["`duration` is a single value"]);
    refused(&with_path(""), "\"\"", &["names nothing: a step is empty"]);
    refused(&with_path("study.replications"), "\"study", &["not of the study"]);
    refused(&with_study("[study.axes.x]\nvalues = [1]"), "x]", &["`[study.axes.x]` has no `set`"]);
}

#[test]
fn a_form_says_where_the_value_stands() {
    for form in ["STATION", "$ and $"] {
        let study = format!("[study.axes.x]\nset = \"host.CTRL.name\"\nvalues = [1]\nas = \"{form}\"");
        refused(&with_study(&study), &format!("\"{form}\""), &["by one `$` where the value stands", "STATION{1..$}"]);
    }
}

/// Columns of a table in a database are told apart without their case.
#[test]
fn axes_are_columns_of_their_own() {
    refused(
        &with_study("[study.axes.N]\nset = \"seed\"\nvalues = [\"1\"]"),
        "N]",
        &["`N` is a column of points.csv already"],
    );
    let two =
        "[study.axes.a]\nset = \"seed\"\nvalues = [\"1\"]\n[study.axes.A]\nset = \"duration\"\nvalues = [\"1 s\"]";
    refused(&with_study(two), "A]", &["the axes `a` and `A` are one column"]);
}

/// Whole tables too are refused by name, whatever they are called.
#[test]
fn unknown_tables_are_refused() {
    for (table, words) in [
        ("[study.axis]\nx = 1", "unknown key `axis`"),
        ("[study.limits]", "unknown key `limits`"),
        ("[study.where]\nx = 1", "text in quotes is expected"),
        ("[study.replications]\nx = 1", "a whole number is expected"),
    ] {
        let desk = Desk::with(&with_study(table));
        desk.run(&["check", "grid.toml"]).exits(96).says(&[words]);
        desk.run(&["run", "grid.toml"]).exits(96).says(&[words]);
    }
}

#[test]
fn an_axis_has_values() {
    refused(&axis("values = []"), "[]", &["the axis has no values"]);
    refused(&axis(""), "loss]", &["`values`, or `range` and `step`"]);
    refused(&axis("values = [0.0]\nrange = [0.0, 1.0]\nstep = 0.5"), "loss]", &["`values`, or `range`"]);
    refused(&axis("range = [0.0, 1.0]"), "loss]", &["`values`, or `range` and `step`"]);
    refused(&axis("values = [\"1 %\", 0.01]"), "0.01", &["has the value `0.01` already"]);
    refused(&axis("values = [\"1 %\", \"1 s\"]"), "\"1 s\"", &["of one kind, these are numbers"]);
    refused(&axis("values = [{ mean = 1 }]"), "{ mean", &["an axis has no other values"]);
    refused(&axis("values = [1e-20]"), "1e-20", &["too many digits"]);
    refused(&axis("values = [1e-20, 3, nan, \"x\"]"), "nan", &["an axis has no other values"]);
    refused(&axis("values = 5"), "5", &["a list is expected"]);
    refused(&with_study("[study.axes]\nloss = 5"), "5", &["a table is expected", "write { set ="]);
    refused(
        &with_study("[study.axes]\nwhere = 'loss < 1'"),
        "'loss",
        &["it stands in `[study]`, above `[study.axes]`"],
    );
}

#[test]
fn a_range_is_exact() {
    let range = |range: &str, step: &str| axis(&format!("range = {range}\nstep = {step}"));
    let missed = ["the steps miss the end of the range, `20 %`", "they come to `0.18` and `0.21`"];
    refused(&range("[\"0 %\", \"20 %\"]", "\"3 %\""), "\"3 %\"", &missed);
    refused(&range("[\"20 %\", \"0 %\"]", "\"2 %\""), "[\"20 %\"", &["ends before it begins"]);
    refused(&range("[\"0 %\", \"20 %\"]", "\"0 %\""), "\"0 %\"", &["a step is greater than 0"]);
    refused(&range("[\"0 %\", \"20 %\"]", "\"2 ms\""), "\"2 ms\"", &["not of one kind"]);
    refused(&range("[\"0 %\", \"x\"]", "\"2 %\""), "[\"0 %\"", &["`x` is no number"]);
    refused(&range("[\"0 %\", \"100 %\"]", "\"0.0001 %\""), "[\"0 %\"", &["1000001 values", "MAX_POINTS"]);
    let points = |study: &str| {
        let out =
            Desk::with(&with_study(study)).run(&["study", "grid.toml", "--list", "--format", "ndjson"]).exits(0).out;
        let id = |line: &str| line.split('"').nth(9).unwrap().to_owned();
        out.lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line)
                    .map_or_else(|_| id(line), |v| v["point"].as_str().unwrap().to_owned())
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    let of = |set: &str, range: &str, step: &str| {
        points(&format!("[study.axes.x]\nset = \"{set}\"\nrange = {range}\nstep = {step}"))
    };
    assert_eq!(of("link.switch.loss.mean", "[\"0 %\", \"0.3 %\"]", "\"0.1 %\""), "x=0 x=0.001 x=0.002 x=0.003");
    assert_eq!(of("link.switch.loss.mean", "[0.0, 0.4]", "0.2"), "x=0 x=0.2 x=0.4");
    assert_eq!(of("traffic.alarm.size", "[\"32 B\", \"1 KiB\"]", "\"496 B\""), "x=32B x=528B x=1024B");
    assert_eq!(of("traffic.alarm.every", "[\"0.5 ms\", \"2 ms\"]", "\"500 us\""), "x=500us x=1ms x=1500us x=2ms");
    assert_eq!(of("traffic.alarm.copies", "[1, 3]", "1"), "x=1 x=2 x=3");
    assert_eq!(of("seed", "[1, 2]", "1"), "x=1 x=2", "a seed is text in the file");
}

#[test]
fn axes_do_not_meet() {
    let two = |path: &str| {
        with_study(&format!(
            "[study.axes]\na = {{ set = \"link.switch.loss.mean\", values = [0.1] }}\nb = {{ set = \"{path}\", values = [0.2] }}"
        ))
    };
    refused(
        &two("link.switch.loss.mean"),
        "\"link.switch.loss.mean\", values = [0.2]",
        &["`a` and `b` set the same value"],
    );
    refused(&two("link.switch.loss"), "\"link.switch.loss\"", &["`a` and `b` set the same value"]);
    let names = |name: &str| with_study(&format!("[study.axes]\n{name} = {{ set = \"seed\", values = [1] }}"));
    refused(&names("\"loss-mean\""), "\"loss-mean\"", &["not a name that a filter can spell", "letters, digits"]);
    refused(&names("1st"), "1st", &["not a name that a filter can spell"]);
    refused(&names("true"), "true", &["not a name that a filter can spell"]);
    refused(&names("replications"), "replications", &["is a column of points.csv"]);
}

#[test]
fn a_grid_has_a_limit() {
    let values = |count: usize| (0..count).map(|at| at.to_string()).collect::<Vec<_>>().join(", ");
    let grid = |extra: &str| {
        with_study(&format!(
            "[study]\n{extra}\n[study.axes]\na = {{ set = \"seed\", values = [{}] }}\nb = {{ set = \"traffic.alarm.count\", values = [{}] }}",
            values(101),
            values(100)
        ))
    };
    refused(&grid(""), "axes", &["101 x 100 combinations", "10000 points (MAX_POINTS)"]);
    refused(&with_study("[study]\nreplications = 0"), "0", &["is not from 1 to 100000 (MAX_REPLICATIONS)"]);
    refused(&with_study("[study]\nreplications = 100001"), "100001", &["MAX_REPLICATIONS"]);
    let many =
        format!("[study]\nreplications = 99999\n[study.axes]\na = {{ set = \"seed\", values = [{}] }}", values(101));
    refused(&with_study(&many), "study]", &["more than 10000000 runs (MAX_RUNS)"]);
}

#[test]
fn where_is_pointed_into() {
    let with_where = |only: &str| GRID.replace("\"burst >= 4 || loss < 5 %\"", only);
    refused(
        &with_where("\"burst >= 4 || lost < 5 %\""),
        "lost <",
        &["no axis is called `lost`", "did you mean `loss`?"],
    );
    refused(&with_where("'burst >= 4 | loss < 5 %'"), "| loss", &["`&&` or `||` is expected here"]);
    refused(&with_where("\"\"\"burst => 4\"\"\""), "=> 4", &["`=` is written `==` here"]);
    refused(&with_where("\"burst >= 5\""), "\"burst >= 5\"", &["no combination of values is left"]);
    refused(&with_where("\"loss == '\\u0035 %' && x\""), "\"loss == '", &["no axis is called `x`"]);
    let set = "study.where=burst >= 4 && lost < 1";
    Desk::new().run(&["study", "grid.toml", "--set", set]).exits(96).says(&["--set:1:27", "no axis is called `lost`"]);
}

#[test]
fn until_names_a_figure_and_has_bounds() {
    let until = |until: &str| with_study(&format!("[study]\nuntil = {{ {until} }}"));
    let good = "of = \"alarm\", metric = \"delivery_ratio\", half_width = 0.01";
    refused(
        &until("of = \"alarm\", metric = \"delivery_rate\", half_width = 0.1"),
        "\"delivery_rate\"",
        &["no figure `delivery_rate`", "did you mean `delivery_ratio`?"],
    );
    refused(
        &until("of = \"alrm\", metric = \"delivery_ratio\", half_width = 0.1"),
        "\"alrm\"",
        &["no flow is called `alrm`", "did you mean `alarm`?"],
    );
    refused(&until("metric = \"all_ratio\", half_width = 0.1"), "\"all_ratio\"", &["the totals have no figure"]);
    refused(&until("metric = \"delivery_ratio\", half_width = 0.0"), "0.0", &["greater than 0"]);
    refused(&until("metric = \"delivery_ratio\""), "until", &["has no `half_width`"]);
    refused(&until(&format!("{good}, min = 1")), "1 }", &["an interval needs two replications"]);
    refused(&until(&format!("{good}, min = 20, max = 19")), "19", &["from `min`, 20, to 100000"]);
    refused(&until(&format!("{good} }}\nreplications = 5 #")), "replications = 5", &["not both"]);
}

#[test]
fn a_point_that_is_not_sound_is_named() {
    let with_values = |values: &str| GRID.replace("[2.0, 4.0]", values);
    let words = ["point loss=0.02,burst=0.5: ", "at least 1 datagrams"];
    refused(&with_values("[4.0, 0.5]").replace("\"0 %\", ", ""), "0.5]", &words);
    refused(&with_values("[2.0, \"x\"]"), "\"x\"", &["of one kind"]);
    let sizes = "[study.axes]\nsize = { set = \"traffic.alarm.size\", values = [\"10 B\", \"0.5 B\"] }";
    refused(&with_study(sizes), "\"0.5 B\"", &["point size=0.5B: `0.5 B` is not a whole number of bytes"]);
    let range = "[study.axes]\ncopies = { set = \"traffic.alarm.copies\", range = [0, 1], step = 1 }";
    refused(&with_study(range), "[0, 1]", &["point copies=0: "]);
    let desk = Desk::with(&GRID.replace("4.0]", "4.0, 8.0]"));
    desk.run(&["run", "grid.toml", "-q", "--set", "study.axes.burst.values=[0.2]"]).exits(0);
    desk.run(&["study", "grid.toml", "--set", "study.axes.burst.values=[0.2]"])
        .exits(96)
        .says(&["--set:1:25", "point loss=0,burst=0.2: "]);
}

#[test]
fn bad_commands_are_refused() {
    let desk = Desk::new();
    for (arguments, words) in [
        (&["--jobs", "0"][..], "0 is not in 1..=1024"),
        (&["--partition", "3/2"], "`3/2` is not I/N"),
        (&["--partition", "0/2"], "1/3, 2/3, 3/3"),
        (&["--engine", "cloud"], "possible values: local"),
        (&["--filter", "loss >"], "an axis or a value is expected here"),
        (&["--progress", "loud"], "possible values: auto, bar, counter, none"),
        (&["--seed", "-1"], "a seed is a whole number"),
    ] {
        desk.study("r", arguments).exits(2).says(&[words]);
    }
    desk.run(&["merge", "--out", "m"]).exits(2);
    desk.run(&["merge", "r"]).exits(2).says(&["--out"]);
    assert!(!desk.path("r").exists());
}
