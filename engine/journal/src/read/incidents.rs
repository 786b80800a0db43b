//! Questions about incidents and what belongs to them.

use beistand_core::model::{IncidentId, Organisation, Person, Role};
use beistand_core::timeline::Scope;

use super::seen::{self, seen};
use super::{Page, Reader, between, rows};
use crate::error::StoreError;
use crate::sql::params;
use crate::table::{Asset, Evidence, Incident};

macro_rules! incident_columns {
    ($rest:literal) => {
        concat!(
            "select no, id, number, mode, title, severity, tlp, organisation, opened_at, closed_at,
                body from incident ",
            $rest
        )
    };
}

impl Reader {
    /// Incidents, newest first, each with the cursor of its row.
    pub async fn incidents(&self, page: Page) -> Result<Vec<(i64, Incident)>, StoreError> {
        self.incidents_seen(page, None).await
    }

    /// The same, only those that may be seen through a scope; everybody's without one.
    pub async fn incidents_seen(
        &self,
        page: Page,
        eyes: Option<&Scope>,
    ) -> Result<Vec<(i64, Incident)>, StoreError> {
        let sql = concat!(
            incident_columns!("where no < $1 and "),
            seen!("id", "$2", "$3", "$4"),
            " order by no desc limit $5"
        );
        let eyes = seen::through(eyes);
        let params = params![
            page.cursor.unwrap_or(i64::MAX),
            eyes.markings,
            eyes.organisations,
            eyes.incidents,
            i64::from(page.limit),
        ];
        let rows = self.pool.rows("list incidents", sql, params).await?;
        rows.into_iter().map(rows::incident).collect()
    }

    /// An incident by its id.
    pub async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        let sql = incident_columns!("where id = $1");
        let row = self.pool.row("read an incident", sql, params![id.to_string()]).await?;
        Ok(row.map(rows::incident).transpose()?.map(|(_, incident)| incident))
    }

    /// An incident by its number.
    pub async fn incident_by_number(&self, number: &str) -> Result<Option<Incident>, StoreError> {
        let sql = incident_columns!("where number = $1");
        let row = self.pool.row("find an incident", sql, params![number]).await?;
        Ok(row.map(rows::incident).transpose()?.map(|(_, incident)| incident))
    }

    /// The highest number that begins with `prefix` (`SIT-2026-`); `None` if there is none yet.
    pub async fn incident_number(&self, prefix: &str) -> Result<Option<String>, StoreError> {
        let sql = "select number from incident where number >= $1 and number < $2
             order by length(number) desc, number desc limit 1";
        let row = self.pool.row("find the next number", sql, between(prefix)).await?;
        row.map(|mut row| row.text("incident.number")).transpose()
    }

    /// Who has which role in an incident.
    pub async fn roles(&self, incident: IncidentId) -> Result<Vec<(Role, Person)>, StoreError> {
        let sql = "select role, person from incident_role where incident = $1 order by role";
        let rows = self.pool.rows("read roles", sql, params![incident.to_string()]).await?;
        rows.into_iter()
            .map(|mut row| {
                Ok((row.parse("incident_role.role")?, row.parse("incident_role.person")?))
            })
            .collect()
    }

    /// Whom an incident concerns.
    pub async fn organisations(
        &self,
        incident: IncidentId,
    ) -> Result<Vec<Organisation>, StoreError> {
        let sql = "select organisation from incident_organisation where incident = $1
             order by organisation";
        let rows = self.pool.rows("read organisations", sql, params![incident.to_string()]).await?;
        rows.into_iter().map(|mut row| row.parse("incident_organisation.organisation")).collect()
    }

    /// What an incident is about.
    pub async fn assets(&self, incident: IncidentId) -> Result<Vec<Asset>, StoreError> {
        let sql = "select incident, kind, value, state, organisation, at from asset
             where incident = $1 order by no";
        let rows = self.pool.rows("read assets", sql, params![incident.to_string()]).await?;
        rows.into_iter().map(rows::asset).collect()
    }

    /// Files kept as evidence.
    pub async fn evidence(&self, incident: IncidentId) -> Result<Vec<Evidence>, StoreError> {
        let sql = "select incident, digest, name, organisation, person, at from evidence
             where incident = $1 order by no";
        let rows = self.pool.rows("read evidence", sql, params![incident.to_string()]).await?;
        rows.into_iter().map(rows::evidence).collect()
    }
}
