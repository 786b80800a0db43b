//! The section `on_call`: who is on call, and how they are called to what waits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use beistand_connectors::CONNECTORS;
use beistand_connectors::kit::{Columns, Row, Table, TableError};
use beistand_core::model::{ConnectorName, Format, Millis, Person};
use beistand_core::on_call::{Roster, Shift, instant};
use beistand_core::timeline::Lang;
use beistand_journal::{Reader, StoreError};
use beistand_runtime::{Calling, Rosters};
use serde::Deserialize;

use super::Config;
use crate::modes::Fault;

/// Years of shifts with room to spare.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The headings there are.
const COLUMNS: Columns = Columns {
    known: &["role", "person", "from", "until", "mail", "telephone"],
    needed: &["role", "person"],
    rows_max: 20_000,
};

/// Faults of one file that are told: more is a file of something else.
const FAULTS_MAX: usize = 100;

/// The action that calls people.
const MAIL: &str = "mail.send";

/// Who is on call, and how they are called.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OnCall {
    /// CSV files: role, person, from, until, mail, telephone. They are read anew when they change.
    pub(crate) files: Vec<PathBuf>,
    /// The connector that sends the mails; without it nobody is called.
    pub(crate) by: Option<ConnectorName>,
    /// Where whoever is at the keyboard is reached: it stands in the mails.
    pub(crate) telephone: Option<String>,
    /// The language of the mails.
    pub(crate) language: Lang,
}

impl OnCall {
    /// Everything that is wrong with the section.
    pub(crate) fn faults(&self, config: &Config) -> Vec<Fault> {
        let mut faults = self.file_faults();
        if let Some(by) = &self.by {
            faults.extend(sends_mail(config, by).err());
            if self.files.is_empty() {
                let hint = "name CSV files: role, person, from, until, mail, telephone";
                faults.push(Fault::new("on_call.files", "nobody is on call").hint(hint));
            }
        }
        if let Some(number) = self.telephone.as_deref().filter(|number| !is_number(number)) {
            let text = format!("`{number}` is no number to call");
            faults.push(Fault::new("on_call.telephone", text).hint("for example +49 2761 12345"));
        }
        faults
    }

    /// Everything that is wrong with the files, line by line.
    fn file_faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (file, number) in self.files.iter().zip(0..) {
            let path = format!("on_call.files[{number}]");
            let Err(errors) = shifts(file) else { continue };
            let more = errors.len().saturating_sub(FAULTS_MAX);
            let told = errors.iter().take(FAULTS_MAX);
            faults.extend(told.map(|error| unread(&path, error)));
            if more > 0 {
                let text = format!("{}: and {more} more faults", file.display());
                faults.push(Fault::new(&path, text));
            }
        }
        faults
    }

    /// Who is on call and could answer nothing: in a store with accounts they have none, or only
    /// ones that are locked. A sentence each.
    ///
    /// # Errors
    /// [`StoreError`] when the store can not be read.
    pub(crate) async fn without_account(&self, reader: &Reader) -> Result<Vec<String>, StoreError> {
        let Ok(roster) = roster(&self.files) else { return Ok(Vec::new()) };
        if !reader.has_accounts().await? {
            return Ok(Vec::new());
        }
        let mut known = BTreeMap::new();
        for account in reader.accounts().await? {
            *known.entry(account.person).or_insert(false) |= account.locked_at.is_none();
        }
        let named: BTreeSet<&Person> = roster.shifts().iter().map(|shift| &shift.person).collect();
        let without = |person: &Person| match known.get(person) {
            Some(true) => None,
            Some(false) => Some(format!("`{person}` is on call, and their account is locked")),
            None => Some(format!("`{person}` is on call, and has no account to answer with")),
        };
        Ok(named.into_iter().filter_map(without).collect())
    }

    /// How people are called; nothing where no connector does it.
    pub(crate) fn calling(&self, config: &Config) -> Result<Option<Calling>, Fault> {
        if let Some(fault) = self.faults(config).into_iter().next() {
            return Err(fault);
        }
        let Some(by) = self.by.clone() else { return Ok(None) };
        let read = roster(&self.files).map_err(|error| unread("on_call.files", &error));
        let roster = Arc::new(read?);
        let read = Mutex::new((stamps(&self.files), roster));
        let rosters = Arc::new(Files { files: self.files.clone(), read });
        let (lang, telephone) = (self.language, self.telephone.clone());
        Ok(Some(Calling { by, rosters, lang, telephone }))
    }
}

fn unread(path: &str, error: &TableError) -> Fault {
    let hint = "a line is role, person, from, until, mail, telephone, for example \
                commander,anna,2026-11-23 08:00,2026-11-30 08:00,anna@example.org,+49 171 …";
    Fault::new(path, error.to_string()).hint(hint)
}

/// Whether a connector can call people.
fn sends_mail(config: &Config, by: &ConnectorName) -> Result<(), Fault> {
    let fault = |text: String| Err(Fault::new("on_call.by", text));
    let Some(value) = config.connectors.get(by) else {
        return fault(format!("there is no connector `{by}`"));
    };
    let kind = value.get("kind").and_then(serde_json::Value::as_str).unwrap_or_default();
    let maker = CONNECTORS.iter().find(|maker| maker.kind == kind);
    let offers = maker.map(|maker| (maker.spec)().offers).unwrap_or_default();
    if offers.iter().any(|offer| offer.action.as_str() == MAIL) {
        return Ok(());
    }
    fault(format!("`{by}` sends no mail"))
}

/// Reads all files into one roster.
///
/// # Errors
/// The first fault, with its place.
pub(crate) fn roster(files: &[PathBuf]) -> Result<Roster, TableError> {
    let mut all = Vec::new();
    for file in files {
        let read = shifts(file).or_else(|errors| errors.into_iter().next().map_or(Ok(vec![]), Err));
        all.extend(read?);
    }
    Ok(Roster::new(all))
}

/// The shifts of one file, or everything that is wrong with it.
fn shifts(file: &Path) -> Result<Vec<Shift>, Vec<TableError>> {
    let table = Table::load(file, FILE_BYTES_MAX, COLUMNS).map_err(|error| vec![error])?;
    read(&table)
}

fn read(table: &Table) -> Result<Vec<Shift>, Vec<TableError>> {
    let (mut shifts, mut errors) = (Vec::new(), Vec::new());
    for row in table.rows() {
        let before = errors.len();
        let read = shift(&row, &mut errors);
        shifts.extend(read.filter(|_| errors.len() == before));
    }
    if errors.is_empty() { Ok(shifts) } else { Err(errors) }
}

/// The shift of a line. What is wrong with its cells is added to the faults; it is nothing, or no
/// shift to be used, where something was.
fn shift(row: &Row<'_>, faults: &mut Vec<TableError>) -> Option<Shift> {
    let (until_at, _) = row.cell("until");
    let (telephone_at, telephone) = row.cell("telephone");
    let address = |text: &str| Format::Email.problem(text).is_none().then(|| text.to_owned());
    let role = parsed(row, "role", faults);
    let person = parsed(row, "person", faults);
    let mail = told(row.list("mail", address, "mail address"), faults);
    let (from, until) = (told(time(row, "from"), faults), told(time(row, "until"), faults));
    if from.flatten().zip(until.flatten()).is_some_and(|(from, until)| until <= from) {
        faults.push(row.fault(until_at, "this shift ends before it begins"));
    }
    if !telephone.is_empty() && !is_number(telephone) {
        faults.push(row.fault(telephone_at, format!("`{telephone}` is no number to call")));
    }
    if mail.as_ref().is_some_and(Vec::is_empty) && telephone.is_empty() {
        let (_, name) = row.cell("person");
        faults.push(row.fault(0, format!("`{name}` has neither mail nor telephone")));
    }
    Some(Shift {
        role: role?,
        person: person?,
        from: from?,
        until: until?,
        mail: mail?,
        telephone: Some(telephone.to_owned()).filter(|number| !number.is_empty()),
    })
}

/// A cell that is one word of ours.
fn parsed<T>(row: &Row<'_>, name: &str, faults: &mut Vec<TableError>) -> Option<T>
where
    T: FromStr<Err: Display>,
{
    let (column, text) = row.cell(name);
    told(text.parse().map_err(|error| row.fault(column, format!("{error}"))), faults)
}

/// What could be read; what could not is told.
fn told<T>(read: Result<T, TableError>, faults: &mut Vec<TableError>) -> Option<T> {
    read.map_err(|error| faults.push(error)).ok()
}

fn time(row: &Row<'_>, name: &str) -> Result<Option<Millis>, TableError> {
    let (column, text) = row.cell(name);
    if text.is_empty() {
        return Ok(None);
    }
    let at = instant(text);
    at.map(Some)
        .ok_or_else(|| row.fault(column, format!("`{text}` is no time like 2026-11-23 08:00")))
}

/// Digits with what parts them.
fn is_number(text: &str) -> bool {
    let part = |c: char| matches!(c, ' ' | '+' | '-' | '/' | '(' | ')' | '.');
    text.chars().any(|c| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || part(c))
}

/// When files were changed last, and how long they are.
type Stamps = Vec<Option<(SystemTime, u64)>>;

fn stamps(files: &[PathBuf]) -> Stamps {
    let stamp = |file: &Path| {
        let about = std::fs::metadata(file).ok()?;
        Some((about.modified().ok()?, about.len()))
    };
    files.iter().map(|file| stamp(file)).collect()
}

/// The files, and what they said when they were read last.
#[derive(Debug)]
struct Files {
    files: Vec<PathBuf>,
    read: Mutex<(Stamps, Arc<Roster>)>,
}

impl Rosters for Files {
    /// What can not be read changes nothing: whoever was on call still is.
    fn roster(&self) -> Arc<Roster> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamps(&self.files);
        if read.0 != now {
            read.0 = now;
            match roster(&self.files) {
                Ok(roster) => read.1 = Arc::new(roster),
                Err(error) => {
                    tracing::error!(%error, "Who is on call could not be read anew; it stays as it was.");
                }
            }
        }
        Arc::clone(&read.1)
    }
}

#[cfg(test)]
mod tests {
    use beistand_core::model::Role;

    use super::*;

    fn folder_of_its_own(name: &str) -> PathBuf {
        let name = format!("beistand-on-call-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn read(text: &str) -> Result<Vec<Shift>, Vec<TableError>> {
        let table = Table::read("on-call.csv", text.as_bytes(), COLUMNS);
        super::read(&table.map_err(|error| vec![error])?)
    }

    #[test]
    fn a_shift_is_read_as_a_spreadsheet_saves_it() {
        let text = "\u{feff}Person;Role;From;Until;Mail;Telephone\r\n\
                    anna;commander;2026-11-23 08:00;2026-11-30 08:00;\"anna@example.org; a@example.org\";+49 171 1\r\n\
                    # on holiday: ben\r\n\
                    dora;deputy;;;;+49 (2761) 12-3\r\n";
        let shifts = read(text).unwrap();
        assert_eq!((shifts.len(), shifts[0].role), (2, Role::Commander));
        assert_eq!(shifts[0].mail, ["anna@example.org", "a@example.org"]);
        assert_eq!(shifts[0].until.unwrap().to_string(), "2026-11-30T07:00:00.000Z");
        assert_eq!((shifts[1].from, shifts[1].until, shifts[1].mail.len()), (None, None, 0));
    }

    #[test]
    fn a_fault_has_a_line_and_a_column() {
        for (text, line, column) in [
            ("role,persn\n", 1, 2),
            ("role\ncommander\n", 1, 0),
            ("role,person,mail\nboss,anna,a@example.org\n", 2, 1),
            ("role,person,mail\ncommander,,a@example.org\n", 2, 2),
            ("role,person,mail\ncommander,anna,a@example.org\ncommander,ben,b\n", 3, 3),
            ("role,person,mail\ncommander,anna,\"a@example.org\nBcc: b@example.org\"\n", 2, 3),
            ("role,person,mail,from\ncommander,anna,a@example.org,monday\n", 2, 4),
            ("role,person,telephone\ncommander,anna,call me\n", 2, 3),
            ("role,person,mail\ncommander,anna,\n", 2, 0),
            (
                "role,person,mail,from,until\ncommander,anna,a@example.org,2026-11-23,2026-11-22\n",
                2,
                5,
            ),
        ] {
            let errors = read(text).unwrap_err();
            let places: Vec<_> = errors.iter().map(|one| (one.line, one.column)).collect();
            assert_eq!(places, [(line, column)], "{errors:?}");
        }
    }

    #[test]
    fn all_faults_of_a_file_are_told_at_once_cell_by_cell() {
        let text = "role,person,mail,from,telephone\n\
                    boss,anna,a,monday,call me\n\
                    commander,ben,ben@example.org,,\n\
                    deputy,,,,\n";
        let errors = read(text).unwrap_err();
        let places: Vec<_> = errors.iter().map(|one| (one.line, one.column)).collect();
        assert_eq!(places, [(2, 1), (2, 3), (2, 4), (2, 5), (4, 2), (4, 0)], "{errors:?}");
    }

    #[test]
    fn the_check_names_every_fault_of_every_file_and_counts_a_flood_of_them() {
        let folder = folder_of_its_own("faults");
        let (few, many) = (folder.join("few.csv"), folder.join("many.csv"));
        std::fs::write(&few, "role,person,mail\nboss,anna,a@example.org\ndeputy,ben,b\n").unwrap();
        std::fs::write(&many, format!("role,person,mail\n{}", "boss,a,a@b.example\n".repeat(103)))
            .unwrap();
        let on_call = OnCall { files: vec![few, many], ..OnCall::default() };
        let faults = on_call.file_faults();
        std::fs::remove_dir_all(&folder).unwrap();
        let of = |path: &str| faults.iter().filter(|fault| fault.path == path).count();
        assert_eq!((of("on_call.files[0]"), of("on_call.files[1]")), (2, FAULTS_MAX + 1));
        assert!(faults[0].message.contains("few.csv:2:1: "), "{}", faults[0].message);
        assert!(faults[1].message.contains("few.csv:3:3: "), "{}", faults[1].message);
        assert!(faults.last().unwrap().message.ends_with("and 3 more faults"));
    }

    #[test]
    fn a_file_is_read_anew_when_it_changed_and_a_broken_one_changes_nothing() {
        let folder = folder_of_its_own("anew");
        let file = folder.join("on-call.csv");
        let write = |lines: &str| {
            std::fs::write(&file, format!("role,person,telephone\n{lines}")).unwrap();
        };
        write("deputy,anna,1\n");
        let files = vec![file.clone()];
        let first = Arc::new(roster(&files).unwrap());
        let rosters = Files { files: files.clone(), read: Mutex::new((stamps(&files), first)) };
        let count = || rosters.roster().shifts().len();
        assert_eq!(count(), 1);
        write("deputy,anna,1\ndeputy,ben,22\n");
        assert_eq!(count(), 2);
        write("deputy,anna\n");
        assert_eq!(count(), 2);
        write("deputy,carla,333\n");
        assert_eq!(count(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
