//! Calls other programs and turns their failures into sentences.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// Why a chore could not go on, in a sentence that names the way out.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What happened, on what, and what to do.
    pub(crate) sentence: String,
    /// The exit code of `cargo xtask`.
    pub(crate) exit: u8,
}

impl Trouble {
    /// A failure of the work itself: exit code 1.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), exit: 1 }
    }

    /// The same as a wrong call: exit code 2.
    pub(crate) fn usage(self) -> Self {
        Self { exit: 2, ..self }
    }
}

/// The root of the repository: the folder above this crate.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The cargo that called us, in the root of the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root());
    command
}

/// Where the built programs of the debug profile lie.
pub(crate) fn target_folder() -> PathBuf {
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    folder.join("debug")
}

/// Runs a program to its end with our own input and output.
///
/// # Errors
/// When it can not be started, or does not end well.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<(), Trouble> {
    let status = status(what, command)?;
    if status.success() { Ok(()) } else { Err(Trouble::new(format!("{what} failed ({status})"))) }
}

/// Runs a program to its end and answers how it ended, whatever that was.
///
/// # Errors
/// When it can not be started.
pub(crate) fn status(what: &str, command: &mut Command) -> Result<ExitStatus, Trouble> {
    command.status().map_err(|error| {
        let program = command.get_program().to_string_lossy().into_owned();
        Trouble::new(format!("{what}: `{program}` could not be started: {error}"))
    })
}

/// Runs a program to its end and shows what it says only when it fails.
///
/// # Errors
/// When it can not be started, or does not end well: with all that it said.
pub(crate) fn run_quietly(what: &str, command: &mut Command) -> Result<(), Trouble> {
    let output = command.output().map_err(|error| {
        let program = command.get_program().to_string_lossy().into_owned();
        Trouble::new(format!("{what}: `{program}` could not be started: {error}"))
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    Err(Trouble::new(format!("{what} failed ({}):\n{said}", output.status)))
}

/// What a program prints, trimmed.
///
/// # Errors
/// When it can not be started, or does not end well: with what it said on standard error.
pub(crate) fn output(what: &str, command: &mut Command) -> Result<String, Trouble> {
    let output = command.output().map_err(|error| {
        let program = command.get_program().to_string_lossy().into_owned();
        Trouble::new(format!("{what}: `{program}` could not be started: {error}"))
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Trouble::new(format!("{what} failed ({}): {said}", output.status)))
}

/// Whether we are root.
///
/// # Errors
/// When `id` can not be asked.
pub(crate) fn is_root() -> Result<bool, Trouble> {
    Ok(output("asking for the user", Command::new("id").arg("-u"))? == "0")
}

/// Where a program lies, also in the folders that hold an administrator's programs.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
