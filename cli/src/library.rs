//! Where playbooks are found: beside the caller, in the configured folders, then the shipped ones.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beistand_core::model::{Catalogue, PlaybookName};
use beistand_core::playbook::{CheckRequest, Finding, Library, Plan, SourceText, check};
use beistand_script::Scripts;
use beistand_web::{Found, Playbooks};

use crate::exit::{Exit, Failure, Outcome};
use crate::out::Out;

include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// All playbooks that can be named.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelves {
    folders: Vec<PathBuf>,
}

impl Shelves {
    pub(crate) fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }

    /// A playbook by name, or by file.
    pub(crate) fn open(&self, wanted: &str) -> Outcome<SourceText> {
        let path = Path::new(wanted);
        if path.is_file() {
            return read(path);
        }
        let name: Option<PlaybookName> = wanted.parse().ok();
        name.and_then(|name| self.named(&name)).ok_or_else(|| {
            let all: Vec<String> = self.names().into_iter().collect();
            // What ends like a file, or lies somewhere, was meant as one.
            if path.extension().is_some() || wanted.contains('/') {
                return Failure::not_found(format!("there is no file `{wanted}`"))
                    .hint(format!("playbooks with a name are: {}", all.join(", ")));
            }
            Failure::not_found(format!("there is no playbook `{wanted}`"))
                .hint(format!("there are: {}", all.join(", ")))
        })
    }

    /// The names of all playbooks, in the configured folders and shipped.
    fn names(&self) -> BTreeSet<String> {
        let entries = self.folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok());
        let paths = entries.flatten().filter_map(Result::ok).map(|entry| entry.path());
        let playbook = |path: &PathBuf| {
            path.join("playbook.yaml").is_file() || path.extension().is_some_and(|e| e == "yaml")
        };
        let own =
            paths.filter(playbook).filter_map(|path| Some(path.file_stem()?.to_str()?.into()));
        own.chain(SHIPPED.iter().map(|(name, _)| (*name).to_owned())).collect()
    }

    fn named(&self, name: &PlaybookName) -> Option<SourceText> {
        let in_folder = |folder: &PathBuf| {
            let nested = folder.join(name.as_str()).join("playbook.yaml");
            let flat = folder.join(format!("{name}.yaml"));
            [nested, flat].into_iter().find(|path| path.is_file()).and_then(|path| read(&path).ok())
        };
        self.folders.iter().find_map(in_folder).or_else(|| {
            let (_, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == name.as_str())?;
            Some(SourceText::new(format!("{name}/playbook.yaml"), *text))
        })
    }

    /// The text of a shipped or configured case.
    pub(crate) fn case(&self, playbook: &SourceText, case: &str) -> Option<SourceText> {
        let file = format!("{case}.yaml");
        let beside =
            Path::new(playbook.name()).parent().map(|folder| folder.join("cases").join(&file));
        if let Some(path) = beside.filter(|path| path.is_file()) {
            return read(&path).ok();
        }
        let shipped = playbook.name().strip_suffix("/playbook.yaml")?;
        let folder =
            self.folders.iter().map(|folder| folder.join(shipped).join("cases").join(&file));
        if let Some(path) = folder.into_iter().find(|path| path.is_file()) {
            return read(&path).ok();
        }
        let wanted = format!("{shipped}/cases/{file}");
        let (name, text) = CASES.iter().find(|(name, _)| *name == wanted)?;
        Some(SourceText::new(*name, *text))
    }

    /// The names of a playbook's cases, wherever they stand.
    pub(crate) fn cases(&self, playbook: &SourceText) -> BTreeSet<String> {
        let shipped = playbook.name().strip_suffix("/playbook.yaml");
        let beside = Path::new(playbook.name()).parent().map(Path::to_path_buf);
        let elsewhere = shipped
            .into_iter()
            .flat_map(|name| self.folders.iter().map(move |folder| folder.join(name)));
        let files = beside.into_iter().chain(elsewhere).flat_map(|folder| {
            std::fs::read_dir(folder.join("cases")).into_iter().flatten().flatten()
        });
        let own = files.map(|file| file.file_name().to_string_lossy().into_owned());
        let embedded = shipped.map(|name| format!("{name}/cases/"));
        let embedded = CASES
            .iter()
            .filter_map(|(name, _)| name.strip_prefix(embedded.as_deref()?).map(ToOwned::to_owned));
        own.chain(embedded)
            .filter_map(|file| file.strip_suffix(".yaml").map(ToOwned::to_owned))
            .collect()
    }

    /// Checks a playbook with everything it calls.
    pub(crate) fn check(
        &self,
        source: &SourceText,
        scripts: &Scripts,
    ) -> (Option<Plan>, Vec<Finding>) {
        let catalogue = Catalogue::first();
        check(CheckRequest { source, catalogue: &catalogue, library: self, expressions: scripts })
    }

    /// A plan, or the findings and exit 3.
    pub(crate) fn plan(&self, wanted: &str, scripts: &Scripts, out: &Out) -> Outcome<Plan> {
        let source = self.open(wanted)?;
        let (plan, findings) = self.check(&source, scripts);
        plan.ok_or_else(|| {
            out.findings(&findings, &[source]);
            Failure::new(Exit::Check, format!("playbook `{wanted}` has faults"))
        })
    }
}

impl Library for Shelves {
    fn find(&self, caller: &SourceText, name: &PlaybookName) -> Option<SourceText> {
        let folder = Path::new(caller.name()).parent();
        let beside = folder.map(|folder| {
            let flat = folder.join(format!("{name}.yaml"));
            let nested =
                folder.parent().map(|above| above.join(name.as_str()).join("playbook.yaml"));
            [Some(flat), nested]
        });
        let beside = beside.into_iter().flatten().flatten().find(|path| path.is_file());
        match beside.and_then(|path| read(&path).ok()) {
            Some(source) => Some(source),
            None => self.named(name),
        }
    }
}

/// The shelves as the server asks them: by name alone, never by file.
#[derive(Debug)]
pub(crate) struct Shelved {
    shelves: Shelves,
    scripts: Arc<Scripts>,
}

impl Shelved {
    pub(crate) fn new(shelves: Shelves, scripts: Arc<Scripts>) -> Self {
        Self { shelves, scripts }
    }
}

impl Playbooks for Shelved {
    fn names(&self) -> BTreeSet<PlaybookName> {
        self.shelves.names().iter().filter_map(|name| name.parse().ok()).collect()
    }

    fn named(&self, name: &PlaybookName) -> Option<Found> {
        let source = self.shelves.named(name)?;
        Some(self.shelves.check(&source, &self.scripts))
    }

    fn check(&self, text: &str) -> Vec<Finding> {
        let source = SourceText::new("playbook.yaml", text);
        let catalogue = Catalogue::first();
        let library = ByName(&self.shelves);
        let request = CheckRequest {
            source: &source,
            catalogue: &catalogue,
            library: &library,
            expressions: self.scripts.as_ref(),
        };
        check(request).1
    }
}

/// The shelves for a text that somebody sent: it lies beside no file.
struct ByName<'a>(&'a Shelves);

impl Library for ByName<'_> {
    fn find(&self, _: &SourceText, name: &PlaybookName) -> Option<SourceText> {
        self.0.named(name)
    }
}

/// The text that a finding names: a file, or a shipped playbook.
pub(crate) fn reread(name: &str) -> Option<SourceText> {
    let shipped = || {
        let known = name.strip_suffix("/playbook.yaml")?;
        let (_, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == known)?;
        Some(SourceText::new(name, *text))
    };
    read(Path::new(name)).ok().or_else(shipped)
}

/// Reads a file; a text over the limit is cut short, which `check` has words for.
fn read(path: &Path) -> Outcome<SourceText> {
    use std::io::Read as _;
    let wrong = |error: std::io::Error| {
        Failure::not_found(format!("could not read `{}`: {error}", path.display()))
    };
    let mut bytes = Vec::new();
    let most = SourceText::BYTES_MAX as u64 + 1;
    std::fs::File::open(path).map_err(wrong)?.take(most).read_to_end(&mut bytes).map_err(wrong)?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.as_bytes().len() as u64 == most => {
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        }
        Err(_) => {
            return Err(Failure::new(
                Exit::Check,
                format!("`{}` is no UTF-8 text", path.display()),
            ));
        }
    };
    Ok(SourceText::new(path.display().to_string(), text))
}
