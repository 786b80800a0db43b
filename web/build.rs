//! Stops a build without what pages are made of, in a sentence that says how to get it.
//!
//! It comes from npm as the lock file has it and is embedded as it is; nothing is fetched here.

use std::io::{self, Write as _};
use std::path::Path;

/// What is embedded, below `node_modules`.
const EMBEDDED: &[&str] = &[
    "@kern-ux/native/dist/kern.min.css",
    "@kern-ux/native/dist/fonts/fira-sans/FiraSans-Regular.woff2",
    "@kern-ux/native/dist/fonts/fira-sans/FiraSans-SemiBold.woff2",
    "htmx.org/dist/htmx.min.js",
    "idiomorph/dist/idiomorph.min.js",
];

fn main() -> io::Result<()> {
    let mut cargo = io::stdout().lock();
    let files = EMBEDDED.iter().map(|file| Path::new("node_modules").join(file));
    for file in files.clone() {
        writeln!(cargo, "cargo::rerun-if-changed={}", file.display())?;
    }
    let Some(missing) = files.into_iter().find(|file| !file.is_file()) else { return Ok(()) };
    writeln!(
        cargo,
        "cargo::error=web/{} is not there, which pages are made of: run `npm ci --ignore-scripts` \
         in web/, or `cargo xtask demo`, which sees to it",
        missing.display()
    )
}
