//! Stops a build without what pages are made of, in a sentence that says how to get it, and leaves of
//! the design system's style sheet what pages use.
//!
//! It comes from npm as the lock file has it; nothing is fetched here.

#[path = "src/trim.rs"]
mod trim;

use std::io::{self, Write as _};
use std::path::Path;
use std::{env, fs};

/// The design system's style sheet.
const SHEET: &str = "@kern-ux/native/dist/kern.min.css";

/// What is embedded, below `node_modules`.
const EMBEDDED: &[&str] = &[
    SHEET,
    "@kern-ux/native/dist/fonts/fira-sans/FiraSans-Regular.woff2",
    "@kern-ux/native/dist/fonts/fira-sans/FiraSans-SemiBold.woff2",
    "htmx.org/dist/htmx.min.js",
    "idiomorph/dist/idiomorph.min.js",
];

/// Where names of classes stand.
const PAGES: [&str; 2] = ["templates", "src/page"];

fn main() -> io::Result<()> {
    let mut cargo = io::stdout().lock();
    let files = EMBEDDED.iter().map(|file| Path::new("node_modules").join(file));
    for file in files.clone() {
        writeln!(cargo, "cargo::rerun-if-changed={}", file.display())?;
    }
    if let Some(missing) = files.into_iter().find(|file| !file.is_file()) {
        return writeln!(
            cargo,
            "cargo::error=web/{} is not there, which pages are made of: run `npm ci \
             --ignore-scripts` in web/, or `cargo xtask demo`, which sees to it",
            missing.display()
        );
    }
    for read in PAGES.iter().chain(&["static", "src/trim.rs"]) {
        writeln!(cargo, "cargo::rerun-if-changed={read}")?;
    }
    let (mut pages, mut styles) = (String::new(), String::new());
    for folder in PAGES {
        texts(Path::new(folder), &mut pages)?;
    }
    texts(Path::new("static"), &mut styles)?;
    let sheet = fs::read_to_string(Path::new("node_modules").join(SHEET))?;
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo gave no OUT_DIR"))?;
    fs::write(Path::new(&out).join("kern.css"), trim::trimmed(&sheet, &pages, &styles))
}

/// All files of a folder and its folders, one after the other.
fn texts(folder: &Path, into: &mut String) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        if entry.file_type()?.is_dir() {
            texts(&entry.path(), into)?;
        } else {
            into.push_str(&fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}
