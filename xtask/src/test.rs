//! `cargo xtask test`: everything that must hold before a change lands, in one call.
//!
//! The servers that one test alone uses (sshd, mail, the effects ledger) are started by that test;
//! only PostgreSQL is shared, because making a cluster takes seconds and a database takes none.

use std::process::Command;

use crate::postgres::Postgres;
use crate::report::Report;
use crate::rights::Rights;
use crate::run::{Trouble, cargo, find, is_root, output, run, run_quietly, target_folder};
use crate::{npm, packages, python};

/// The program has places at which a test may let it die.
const CRASH_POINTS: &str = "--features=beistand/crash-points";

/// Installs, checks, tests, cleans up. With a filter: the servers and the matching tests alone;
/// a test that needs the program then builds it itself.
///
/// # Errors
/// At the first thing that does not hold.
pub(crate) fn test(report: &Report, filter: &[String]) -> Result<(), Trouble> {
    packages::provide(report)?;
    python::provide(report)?;
    npm::provide(report, npm::TESTS)?;
    let _rights = Rights::keep(report)?;
    if filter.is_empty() {
        checks(report)?;
        report.step("the program and the tests");
        // Together, so that dependencies are built once with the features of both.
        let build = ["build", "--locked", "--workspace", "--bins", "--tests", CRASH_POINTS];
        run("building the program and the tests", &mut cargo(&build))?;
    }
    let postgres = Postgres::start(report)?;
    let outcome = tests(report, filter, &postgres);
    drop(postgres);
    outcome
}

/// What holds without running anything: format, lints, documentation.
fn checks(report: &Report) -> Result<(), Trouble> {
    report.step("format");
    run("the format check", &mut cargo(&["fmt", "--all", "--check"]))?;
    report.step("lints");
    let lints = ["clippy", "--locked", "--workspace", "--all-targets", "--quiet", CRASH_POINTS];
    run("clippy", cargo(&lints).args(["--", "-D", "warnings"]))?;
    report.step("documentation");
    let mut documentation = cargo(&["doc", "--locked", "--workspace", "--no-deps", "--quiet"]);
    run("the documentation", documentation.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Runs the tests; the runner's own closing line is the last on standard output.
fn tests(report: &Report, filter: &[String], postgres: &Postgres) -> Result<(), Trouble> {
    let nextest = find("cargo-nextest").is_some();
    if nextest && filter.is_empty() {
        report.step("examples in the documentation");
        let mut examples = cargo(&["test", "--locked", "--workspace", "--doc", "--quiet"]);
        run_quietly("the examples", in_the_world(&mut examples, postgres)?)?;
    }
    // Ignored tests are those that need what we have just started.
    let mut runner = if nextest {
        report.step("tests, by cargo nextest");
        cargo(&["nextest", "run", "--locked", "--run-ignored=all"])
    } else {
        report.step("tests, by cargo test");
        cargo(&["test", "--locked", "--no-fail-fast"])
    };
    // With the same features whatever is asked for, so that nothing is built twice.
    runner.args(["--workspace", CRASH_POINTS]);
    if filter.is_empty() {
        runner.env("BEISTAND_TEST_PROGRAM", target_folder().join("beistand"));
    }
    let runner = in_the_world(&mut runner, postgres)?.args(filter);
    run("the test run", if nextest { runner } else { runner.args(["--", "--include-ignored"]) })
}

/// Tells the tests where the servers are, and makes them root: network namespaces and mounts
/// need it, and a test that misses them fails.
fn in_the_world<'a>(
    command: &'a mut Command,
    postgres: &Postgres,
) -> Result<&'a mut Command, Trouble> {
    command.env("BEISTAND_TEST_POSTGRES", postgres.url());
    command.env("BEISTAND_TEST_SCHEMATHESIS", python::schemathesis());
    if !is_root()? {
        let described = output("asking for the host", Command::new("rustc").arg("-vV"))?;
        let host = described.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or_else(|| Trouble::new("`rustc -vV` names no host"))?;
        let variable = format!("CARGO_TARGET_{}_RUNNER", host.replace('-', "_").to_uppercase());
        command.env(variable, "sudo --preserve-env");
    }
    Ok(command)
}
