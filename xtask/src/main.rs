//! The project's own chores: `cargo xtask demo`, `drill`, `test`, `ci`, `load`.
//!
//! Uses the standard library alone, so that it is built in seconds on a fresh machine. It knows
//! nothing of the engine: it calls `cargo`, the package manager and the built binary, as a person
//! at a terminal would.

mod demo;
mod drill;
mod load;
mod npm;
mod packages;
mod postgres;
mod python;
mod report;
mod rights;
mod run;
mod test;

use std::process::ExitCode;

use report::Report;
use run::Trouble;

const USAGE: &str = "\
The project's chores.

  cargo xtask demo              a server on this machine with a drill in the middle of its life,
                                and a browser before it; needs a C compiler, and npm once for
                                what pages are made of
  cargo xtask drill [PLAYBOOK [CASE]]
                                a shipped playbook as a drill in the terminal, to its end, and
                                its timeline
  cargo xtask test              installs what the tests need, starts the servers, checks
                                format, lints and documentation, runs every test, cleans up
  cargo xtask test FILTER…      the servers and the tests that match; what follows goes to the
                                test runner as it stands
  cargo xtask ci                the same as `cargo xtask test`
  cargo xtask load [SECONDS [READERS]]
                                what the server bears, built as users are given it: reads beside
                                runs, clients of events, a vote and the stop switch in a crowd;
                                each is measured for so long (10), by so many readers at once
                                (32), on a machine that does nothing else
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let report = Report::start();
    let outcome = match arguments.split_first().map(|(verb, rest)| (verb.as_str(), rest)) {
        Some(("demo", _)) => demo::demo(&report),
        Some(("drill", rest)) => drill::drill(&report, rest),
        Some(("test" | "ci", rest)) => test::test(&report, rest),
        Some(("load", rest)) => load::load(&report, rest),
        Some(("help" | "--help" | "-h", _)) => {
            report.plain(USAGE);
            Ok(())
        }
        Some((verb, _)) => {
            Err(Trouble::new(format!("there is no chore `{verb}`\n\n{USAGE}")).usage())
        }
        None => Err(Trouble::new(USAGE).usage()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            report.trouble(&trouble);
            ExitCode::from(trouble.exit)
        }
    }
}
