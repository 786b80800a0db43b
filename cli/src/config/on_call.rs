//! The section `on_call`: who is on call, and how they are called to what waits.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use beistand_connectors::CONNECTORS;
use beistand_connectors::kit::{Columns, Row, Table, TableError};
use beistand_core::model::{ConnectorName, Format, Millis};
use beistand_core::on_call::{Roster, Shift, instant};
use beistand_core::timeline::Lang;
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
        let mut faults = Vec::new();
        if let Err(error) = roster(&self.files) {
            faults.push(unread(&error));
        }
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

    /// How people are called; nothing where no connector does it.
    pub(crate) fn calling(&self, config: &Config) -> Result<Option<Calling>, Fault> {
        if let Some(fault) = self.faults(config).into_iter().next() {
            return Err(fault);
        }
        let Some(by) = self.by.clone() else { return Ok(None) };
        let roster = Arc::new(roster(&self.files).map_err(|error| unread(&error))?);
        let read = Mutex::new((stamps(&self.files), roster));
        let rosters = Arc::new(Files { files: self.files.clone(), read });
        let (lang, telephone) = (self.language, self.telephone.clone());
        Ok(Some(Calling { by, rosters, lang, telephone }))
    }
}

fn unread(error: &TableError) -> Fault {
    let hint = "a line is role, person, from, until, mail, telephone, for example \
                commander,anna,2026-11-23 08:00,2026-11-30 08:00,anna@example.org,+49 171 …";
    Fault::new("on_call.files", error.to_string()).hint(hint)
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
    let mut shifts = Vec::new();
    for file in files {
        let table = Table::load(file, FILE_BYTES_MAX, COLUMNS)?;
        for row in table.rows() {
            shifts.push(shift(&row)?);
        }
    }
    Ok(Roster::new(shifts))
}

fn shift(row: &Row<'_>) -> Result<Shift, TableError> {
    let (role_at, role) = row.cell("role");
    let (person_at, person) = row.cell("person");
    let (until_at, _) = row.cell("until");
    let (telephone_at, telephone) = row.cell("telephone");
    let address = |text: &str| Format::Email.problem(text).is_none().then(|| text.to_owned());
    let shift = Shift {
        role: role.parse().map_err(|error| row.fault(role_at, format!("{error}")))?,
        person: person.parse().map_err(|error| row.fault(person_at, format!("{error}")))?,
        from: time(row, "from")?,
        until: time(row, "until")?,
        mail: row.list("mail", address, "mail address")?,
        telephone: Some(telephone.to_owned()).filter(|number| !number.is_empty()),
    };
    if shift.from.zip(shift.until).is_some_and(|(from, until)| until <= from) {
        return Err(row.fault(until_at, "this shift ends before it begins"));
    }
    if shift.telephone.as_deref().is_some_and(|number| !is_number(number)) {
        return Err(row.fault(telephone_at, format!("`{telephone}` is no number to call")));
    }
    if shift.mail.is_empty() && shift.telephone.is_none() {
        return Err(row.fault(0, format!("`{person}` has neither mail nor telephone")));
    }
    Ok(shift)
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

    fn read(text: &str) -> Result<Vec<Shift>, TableError> {
        let table = Table::read("on-call.csv", text.as_bytes(), COLUMNS)?;
        table.rows().map(|row| shift(&row)).collect()
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
            let error = read(text).unwrap_err();
            assert_eq!((error.line, error.column), (line, column), "{error}");
        }
    }

    #[test]
    fn a_file_is_read_anew_when_it_changed_and_a_broken_one_changes_nothing() {
        let folder = std::env::temp_dir().join(format!("beistand-on-call-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
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
