//! `--engine slurm` where there is no Slurm: the plan, and what is said. With a real one: tests/slurm/run.

use super::Desk;

#[test]
fn a_dry_run_prints_the_script_and_writes_nothing() {
    let desk = Desk::new();
    let slurm = ["--engine", "slurm", "--dry-run", "--jobs", "3"];
    let more = ["--seed", "7", "--set", "host.CTRL.domain=IT'S", "--filter", "loss > 1 %", "--verify-determinism"];
    let script = desk.study("o u t", &[&slurm[..], &more].concat()).exits(0).out;
    let folder = std::path::absolute(desk.path("o u t")).unwrap().display().to_string();
    for line in [
        &format!("#SBATCH --chdir=\"{folder}/slurm/of-3\""),
        "#SBATCH --output=task-%a.log",
        "#SBATCH --requeue",
        &format!(r#" --out '{folder}/slurm/of-3'/"$SLURM_ARRAY_TASK_ID" \"#),
    ] {
        assert!(script.lines().any(|it| it == line || it.ends_with(line)), "{line} is not in:\n{script}");
    }
    assert!(script.contains("\n#SBATCH --job-name=study-grid-"), "{script}");
    let options = r#"--set 'host.CTRL.domain=IT'\''S' --seed 7 --filter 'loss > 1 %' --verify-determinism"#;
    assert!(script.contains(options), "{script}");
    assert!(script.contains(r#"--partition "$SLURM_ARRAY_TASK_ID/3""#), "{script}");
    assert!(script.lines().last().unwrap().starts_with("# sbatch --array="), "{script}");
    assert!(!desk.path("o u t").exists());
}

#[test]
fn what_does_not_go_together_is_refused() {
    let desk = Desk::new();
    desk.study("out", &["--dry-run"]).exits(2).says(&["--dry-run is for --engine slurm"]);
    let partition = ["--engine", "slurm", "--partition", "1/2"];
    desk.study("out", &partition).exits(2).says(&["--engine slurm makes partitions itself"]);
    desk.run(&["study", "-", "--engine", "slurm"]).exits(96);
    desk.study("o\nut", &["--engine", "slurm"]).exits(2).says(&["a script cannot hold"]);
    desk.study("out", &["--engine", "slurm", "--jobs", "1001"]).exits(2).says(&["1000 shards (MAX_SHARDS)"]);
    assert!(!desk.path("out").exists());
}

#[test]
fn a_machine_without_slurm_says_so() {
    let desk = Desk::new();
    let done = desk.with_path("/nowhere", &["study", "grid.toml", "--engine", "slurm", "--out", "out"]);
    done.exits(106).says(&["failed to start squeue, a command of Slurm"]);
    desk.study("out", &[]).exits(0); // what Slurm could not do, this machine can
}
