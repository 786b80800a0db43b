//! `cargo xtask load`: what the server bears on this machine, as one JSON on standard output.

use crate::report::Report;
use crate::run::{Trouble, cargo, run, target_folder};

/// How long each is measured where nobody says otherwise.
const SECONDS: &str = "10";

/// Builds the program as users are given it, and asks it as fast as it answers.
///
/// # Errors
/// When it can not be built, or something is not as it should be.
pub(crate) fn load(report: &Report, arguments: &[String]) -> Result<(), Trouble> {
    let seconds = match arguments {
        [] => SECONDS,
        [seconds] if seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0) => seconds,
        _ => return Err(Trouble::new("`cargo xtask load` takes a number of seconds").usage()),
    };
    report.step("the program, as users are given it");
    run("building the program", &mut cargo(&["build", "--locked", "--release", "-p", "beistand"]))?;
    report.step("what it bears");
    let words = ["run", "--locked", "--release", "--quiet", "-p", "beistand-tests"];
    let mut driver = cargo(&words);
    driver.args(["--example", "load", "--", seconds]);
    let program = target_folder().with_file_name("release").join("beistand");
    run("the load", driver.env("BEISTAND_TEST_PROGRAM", program))
}
