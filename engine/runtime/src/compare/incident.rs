//! An incident's rows against the fold of its entries.

use std::collections::BTreeSet;

use beistand_core::incident::{self, IncidentState};
use beistand_core::model::IncidentId;
use beistand_journal::Stream;

use super::{Comparison, Folded, shown};
use crate::error::EngineError;
use crate::incidents::Besides;

impl Comparison<'_> {
    pub(super) async fn incident(&mut self, stream: &Stream) -> Result<(), EngineError> {
        let Ok(id) = stream.id().parse::<IncidentId>() else {
            self.differs(stream, "its name is no incident's id".to_owned());
            return Ok(());
        };
        let folded = self.fold_incident(stream).await?;
        let Some(state) = self.judged(stream, folded) else { return Ok(()) };
        let Some(row) = self.reader.incident(id).await? else {
            self.differs(stream, "it has no row in the table of incidents".to_owned());
            return Ok(());
        };
        let closed_at = state.closed.as_ref().map(|closed| closed.at);
        let (drill, real) = (state.drill.clone(), state.real.clone());
        let body = Besides { offer: state.offer.clone(), drill, real }.text();
        let pairs = [
            ("id", row.id.to_string(), state.id.to_string()),
            ("number", row.number, state.number.to_string()),
            ("mode", row.mode.to_string(), state.mode.to_string()),
            ("title", row.title, state.title.clone()),
            ("severity", format!("{:?}", row.severity), format!("{:?}", state.severity)),
            ("tlp", row.tlp.as_str().to_owned(), state.tlp.as_str().to_owned()),
            ("opened_at", row.opened_at.to_string(), state.opened_at.to_string()),
            ("closed_at", shown(row.closed_at), shown(closed_at)),
            ("body", row.body, body),
        ];
        self.columns(stream, "the incident's row", &pairs);
        let rows = self.incident_rows(id).await?;
        self.sets(stream, &rows, &incident_lines(&state));
        Ok(())
    }

    async fn fold_incident(&self, stream: &Stream) -> Result<Folded<IncidentState>, EngineError> {
        let mut state: Option<IncidentState> = None;
        let folded = self
            .each(stream, true, |entry| {
                let decoded = incident::decode(&entry.head, entry.body.as_deref());
                let (_, events) = decoded.map_err(|error| error.to_string())?;
                for event in &events {
                    if let Some(state) = &mut state {
                        state.apply(event, entry.at).map_err(|error| error.to_string())?;
                    } else {
                        let opened = IncidentState::open(event, entry.at);
                        state = Some(opened.map_err(|error| error.to_string())?);
                    }
                }
                Ok(())
            })
            .await?;
        Ok(match (folded, state) {
            (Folded::State(()), Some(state)) => Folded::State(state),
            (Folded::State(()), None) => Folded::Broken("it has no entry".to_owned()),
            (Folded::Erased, _) => Folded::Erased,
            (Folded::Broken(why), _) => Folded::Broken(why),
        })
    }

    /// The rows around an incident's own, as lines.
    async fn incident_rows(&self, id: IncidentId) -> Result<BTreeSet<String>, EngineError> {
        let mut lines = BTreeSet::new();
        for (role, person) in self.reader.roles(id).await? {
            lines.insert(format!("`{person}` as {role}"));
        }
        for organisation in self.reader.organisations(id).await? {
            lines.insert(format!("the organisation `{organisation}`"));
        }
        for file in self.reader.evidence(id).await? {
            lines.insert(format!(
                "the evidence `{}` {} by {} at {}",
                file.name, file.digest, file.by, file.at
            ));
        }
        for asset in self.reader.assets(id).await? {
            let whose = shown(asset.organisation);
            lines.insert(format!(
                "the asset {} `{}` of {whose}, {}",
                asset.kind, asset.value, asset.state
            ));
        }
        Ok(lines)
    }
}

fn incident_lines(state: &IncidentState) -> BTreeSet<String> {
    let roles = state.roles.iter().map(|(role, person)| format!("`{person}` as {role}"));
    let organisations =
        state.organisations.iter().map(|organisation| format!("the organisation `{organisation}`"));
    // The same file under the same name is kept once, as it was added first.
    let mut known = BTreeSet::new();
    let kept = state.evidence.iter().filter(|file| known.insert((&file.name, &file.digest)));
    let evidence = kept.map(|file| {
        format!("the evidence `{}` {} by {} at {}", file.name, file.digest, file.by.person, file.at)
    });
    let assets = state.assets().map(|asset| {
        let (kind, whose) = (asset.kind.as_str(), shown(asset.organisation.as_ref()));
        format!("the asset {kind} `{}` of {whose}, {}", asset.value, asset.state.as_str())
    });
    roles.chain(organisations).chain(evidence).chain(assets).collect()
}
