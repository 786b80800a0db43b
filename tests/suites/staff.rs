//! The people of a desk: accounts that the command line made, everybody with the same passphrase.

use serde_json::Value;

use crate::desk::{Desk, text};

/// Everybody's passphrase.
pub(crate) const WORDS: &str = "grüner Zaun am Fluss";

/// The accounts of a desk, which `root` keeps.
#[derive(Debug, Clone)]
pub(crate) struct Staff {
    /// The file that everybody's passphrase stands in.
    file: String,
}

/// A token, and its name in `user list`.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) token: String,
}

impl Staff {
    /// Nobody but `root`, the first account of the desk's store.
    pub(crate) fn of(desk: &Desk) -> Self {
        desk.write("words", &format!("{WORDS}\n"));
        let file = desk.path("words").display().to_string();
        desk.ok(0, &["user", "add", "root", "--role", "admin", "--new", &file]);
        Self { file }
    }

    /// What somebody says of themselves on the command line.
    pub(crate) fn by<'a>(&'a self, account: &'a str) -> [&'a str; 4] {
        ["--as", account, "--passphrase", &self.file]
    }

    /// A call by `root`, which must end with this code; what it printed.
    pub(crate) fn root(&self, desk: &Desk, words: &[&str], code: i32) -> String {
        desk.ok(code, &[&self.by("root")[..], words].concat())
    }

    /// Somebody comes: the name, and what else `user add` is told.
    pub(crate) fn add(&self, desk: &Desk, words: &[&str]) {
        let add = ["user", "add", "--new", &self.file];
        self.root(desk, &[&add[..], words].concat(), 0);
    }

    /// A token of an account that may do this.
    pub(crate) fn token(&self, desk: &Desk, account: &str, may: &[&str]) -> Token {
        let add = ["--json", "token", "add", account, "--title", "a test"];
        let may: Vec<&str> = may.iter().flat_map(|one| ["--may", one]).collect();
        let made = self.root(desk, &[&add[..], &may].concat(), 0);
        let made: Value = serde_json::from_str(&made).unwrap();
        Token { id: text(&made["id"]).to_owned(), token: text(&made["token"]).to_owned() }
    }
}
