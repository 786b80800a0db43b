//! Who may see what: an incident by its marking and by whom it concerns, and what belongs to it.
//!
//! This is where a list stops: what it holds of other organisations is taken out by who tells it.

use beistand_core::model::Tlp;
use beistand_core::timeline::Scope;
use serde_json::{Value, json};

use super::{Reader, rows};
use crate::error::StoreError;
use crate::sql::params;
use crate::table::Hold;

/// A condition: the incident in this column is marked with one of the first parameter's words, and
/// concerns one of the second's organisations or is one of the third. Null asks for nothing.
macro_rules! seen {
    ($incident:literal, $markings:literal, $organisations:literal, $incidents:literal) => {
        concat!(
            "(",
            $markings,
            " is null or ",
            $incident,
            " in (select i.id from incident i
                 where i.tlp in (select m.value ->> 'w' from json_each(",
            $markings,
            ") m)))
             and (",
            $organisations,
            " is null or ",
            $incident,
            " in (
                 select o.incident from incident_organisation o where o.organisation in (
                     select m.value ->> 'w' from json_each(",
            $organisations,
            ") m))
                 or ",
            $incident,
            " in (
                     select m.value ->> 'w' from json_each(",
            $incidents,
            ") m))"
        )
    };
}
pub(super) use seen;

/// The parameters of [`seen`].
#[derive(Debug, Default)]
pub(super) struct Through {
    pub(super) markings: Option<String>,
    pub(super) organisations: Option<String>,
    pub(super) incidents: Option<String>,
}

/// Those of a scope; without one nothing is asked for.
pub(super) fn through(eyes: Option<&Scope>) -> Through {
    fn rows(words: impl Iterator<Item = String>) -> String {
        words.map(|word| json!({ "w": word })).collect::<Value>().to_string()
    }
    let Some(eyes) = eyes else { return Through::default() };
    let markings = Tlp::ALL.iter().filter(|marking| **marking <= eyes.tlp);
    let organisations = eyes.organisations.as_ref();
    Through {
        markings: Some(rows(markings.map(ToString::to_string))),
        organisations: organisations.map(|all| rows(all.iter().map(ToString::to_string))),
        incidents: Some(rows(eyes.incidents.iter().map(ToString::to_string))),
    }
}

impl Reader {
    /// Holds of runs whose incidents may be seen through a scope, by target and age.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn holds_seen(&self, eyes: &Scope) -> Result<Vec<Hold>, StoreError> {
        let sql = concat!(
            "select mode, target, effect, connector, run, path, state, since, organisation, body
             from hold where run in (select r.id from run r where ",
            seen!("r.incident", "$1", "$2", "$3"),
            ") order by target, no"
        );
        let Through { markings, organisations, incidents } = through(Some(eyes));
        let params = params![markings, organisations, incidents];
        let rows = self.pool().rows("list holds", sql, params).await?;
        rows.into_iter().map(rows::hold).collect()
    }
}
