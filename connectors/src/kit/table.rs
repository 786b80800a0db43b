//! Tables that people keep in a spreadsheet: CSV files (RFC 4180), each cell with its place.
//!
//! Columns are found by their heading, in any order. A comma or a semicolon may part them, a byte
//! order mark may stand before them, and a line that begins with `#` is a comment. What a cell means
//! is not known here.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use thiserror::Error;

/// What is wrong with a table, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {message}", place(.file, *.line, *.column))]
pub struct TableError {
    /// The file.
    pub file: String,
    /// Its line, from 1; 0 where the whole file is meant.
    pub line: u64,
    /// The cell in that line, from 1; 0 where the whole line is meant.
    pub column: usize,
    /// What is wrong, with the way out.
    pub message: String,
}

/// `hosts.csv:3:2`; a whole line and a whole file have no numbers that nobody could look up.
fn place(file: &str, line: u64, column: usize) -> String {
    match (line, column) {
        (0, _) => file.to_owned(),
        (line, 0) => format!("{file}:{line}"),
        (line, column) => format!("{file}:{line}:{column}"),
    }
}

/// Which columns a table has.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// All that may be there.
    pub known: &'static [&'static str],
    /// Those that must be there.
    pub needed: &'static [&'static str],
    /// More rows are refused.
    pub rows_max: usize,
}

/// The rows of a table.
#[derive(Debug)]
pub struct Table {
    file: String,
    columns: BTreeMap<&'static str, usize>,
    rows: Vec<(u64, csv::StringRecord)>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'t> {
    /// Its line in the file, from 1.
    pub line: u64,
    table: &'t Table,
    record: &'t csv::StringRecord,
}

impl Table {
    /// Reads a file.
    ///
    /// # Errors
    /// The first fault, with its place; a file with more bytes than these.
    pub fn load(path: &Path, bytes_max: u64, columns: Columns) -> Result<Self, TableError> {
        let file = path.display().to_string();
        let wrong =
            |message: String| TableError { file: file.clone(), line: 0, column: 0, message };
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|open| open.take(bytes_max + 1).read_to_end(&mut bytes))
            .map_err(|error| wrong(format!("could not be read: {error}")))?;
        if bytes.len() as u64 > bytes_max {
            return Err(wrong(format!("is larger than {} KiB", bytes_max / 1024)));
        }
        Self::read(&file, &bytes, columns)
    }

    /// Reads the text of one file; `file` is its name in errors.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn read(file: &str, bytes: &[u8], wanted: Columns) -> Result<Self, TableError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let place = |line: u64, column: usize, message: String| TableError {
            file: file.to_owned(),
            line,
            column,
            message,
        };
        let heading = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let count = |part: u8| heading.split(|byte| *byte == part).count();
        let delimiter = if count(b';') > count(b',') { b';' } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .comment(Some(b'#'))
            .from_reader(bytes);
        let told = |error: &csv::Error| {
            let line = error.position().map_or(0, csv::Position::line);
            place(line, 0, format!("is no CSV: {error}"))
        };
        let headings = reader.headers().map_err(|error| told(&error))?.clone();
        let columns =
            columns_of(&headings, wanted).map_err(|(column, message)| place(1, column, message))?;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| told(&error))?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push((line, record));
            if rows.len() > wanted.rows_max {
                return Err(place(line, 0, format!("more than {} rows", wanted.rows_max)));
            }
        }
        Ok(Self { file: file.to_owned(), columns, rows })
    }

    /// Each row.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, record)| Row { line: *line, table: self, record })
    }
}

/// Where each column stands.
fn columns_of(
    headings: &csv::StringRecord,
    wanted: Columns,
) -> Result<BTreeMap<&'static str, usize>, (usize, String)> {
    let mut columns = BTreeMap::new();
    for (index, name) in headings.iter().enumerate() {
        let known = wanted.known.iter().find(|known| name.eq_ignore_ascii_case(known));
        let known = known.ok_or_else(|| {
            let all = wanted.known.join(", ");
            (index + 1, format!("there is no column `{name}`; there are: {all}"))
        })?;
        if columns.insert(*known, index).is_some() {
            return Err((index + 1, format!("the column `{known}` stands there twice")));
        }
    }
    match wanted.needed.iter().find(|needed| !columns.contains_key(**needed)) {
        Some(needed) => Err((0, format!("the heading has no column `{needed}`"))),
        None => Ok(columns),
    }
}

impl Row<'_> {
    /// A cell with its number from 1; empty, with the number 0, where the table has no such column.
    pub fn cell(&self, name: &str) -> (usize, &str) {
        match self.table.columns.get(name) {
            Some(index) => (index + 1, self.record.get(*index).unwrap_or_default()),
            None => (0, ""),
        }
    }

    /// The values of a cell, which are parted by `;`, each read.
    ///
    /// # Errors
    /// The first one that can not be read: it is no `what`.
    pub fn list<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
        what: &str,
    ) -> Result<Vec<T>, TableError> {
        let (column, text) = self.cell(name);
        text.split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                read(part).ok_or_else(|| self.fault(column, format!("`{part}` is no {what}")))
            })
            .collect()
    }

    /// A fault in a cell of this row.
    pub fn fault(&self, column: usize, message: impl Into<String>) -> TableError {
        let (file, message) = (self.table.file.clone(), message.into());
        TableError { file, line: self.line, column, message }
    }
}
