//! Embeds the shipped playbooks and their cases: the program works where nothing else does.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = Path::new("../playbooks");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut shipped = String::from(
        "/// Shipped playbooks: name and text.\nconst SHIPPED: &[(&str, &str)] = &[\n",
    );
    let mut cases =
        String::from("/// Shipped cases: file and text.\nconst CASES: &[(&str, &str)] = &[\n");
    for folder in folders(root)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let playbook = folder.join("playbook.yaml");
        if name == "broken" || !playbook.is_file() {
            continue;
        }
        line(&mut shipped, &name, &playbook)?;
        for case in files(&folder.join("cases"))? {
            let file = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if case.extension().is_some_and(|ending| ending == "yaml") {
                line(&mut cases, &format!("{name}/cases/{file}"), &case)?;
            }
        }
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("shipped.rs");
    fs::write(out, format!("{shipped}];\n{cases}];\n"))
}

fn line(list: &mut String, name: &str, file: &Path) -> io::Result<()> {
    let file = fs::canonicalize(file)?;
    writeln!(list, "    ({name:?}, include_str!({:?})),", file.display().to_string())
        .map_err(io::Error::other)
}

fn folders(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = entries(root)?;
    found.retain(|path| path.is_dir());
    Ok(found)
}

fn files(root: &Path) -> io::Result<Vec<PathBuf>> {
    if root.is_dir() { entries(root) } else { Ok(Vec::new()) }
}

fn entries(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found =
        fs::read_dir(root)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}
