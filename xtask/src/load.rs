//! `cargo xtask load`: what the server bears on this machine, as one JSON on standard output.

use crate::npm;
use crate::report::Report;
use crate::run::{Trouble, cargo, run, target_folder};

/// Builds the program as users are given it, and asks it as fast as it answers.
///
/// # Errors
/// When it can not be built, or something is not as it should be.
pub(crate) fn load(report: &Report, arguments: &[String]) -> Result<(), Trouble> {
    let is_some = |text: &String| text.parse::<u32>().is_ok_and(|number| number > 0);
    if arguments.len() > 2 || !arguments.iter().all(is_some) {
        let text = "`cargo xtask load` takes a number of seconds and one of readers";
        return Err(Trouble::new(text).usage());
    }
    npm::provide(report, npm::PROGRAM)?;
    report.step("the program, as users are given it");
    run("building the program", &mut cargo(&["build", "--locked", "--release", "-p", "beistand"]))?;
    report.step("what it bears");
    let words = ["run", "--locked", "--release", "--quiet", "-p", "beistand-tests"];
    let mut driver = cargo(&words);
    driver.args(["--example", "load", "--"]).args(arguments);
    let program = target_folder().with_file_name("release").join("beistand");
    run("the load", driver.env("BEISTAND_TEST_PROGRAM", program))
}
