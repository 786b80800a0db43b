//! The command line as people meet it.

use clap::{Command, CommandFactory as _};

use super::Cli;

/// What has no help, of a verb and all below it.
fn silent(command: &Command, path: &str, found: &mut Vec<String>) {
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        if argument.get_help().is_none_or(|help| help.to_string().trim().is_empty()) {
            found.push(format!("{path} {}", argument.get_id()));
        }
    }
    for verb in command.get_subcommands() {
        let path = format!("{path} {}", verb.get_name());
        if verb.get_about().is_none() {
            found.push(path.clone());
        }
        silent(verb, &path, found);
    }
}

#[test]
fn every_verb_and_every_argument_says_what_it_is() {
    let mut found = Vec::new();
    silent(&Cli::command(), "beistand", &mut found);
    assert!(found.is_empty(), "{found:#?}");
}
