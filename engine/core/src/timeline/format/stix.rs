//! A STIX 2.1 bundle (<https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html>): the incident, a
//! note for each line, a grouping that holds them, and the marking of TLP 2.0 under its official id.
//!
//! Ids are UUIDs made of our own ids, so the same line is the same object in every export. It is for
//! handing on; it carries no chain.

use serde_json::{Map, Value, json};

use super::{About, Document};
use crate::model::{IncidentId, Millis, Tlp, named_uuid};
use crate::timeline::TimelineEntry;
use crate::timeline::escape::armoured;
use crate::timeline::sentence::words;

/// Whose marking it is: extension of OASIS for TLP 2.0.
/// <https://github.com/oasis-open/cti-stix-common-objects/tree/main/extension-definition-specifications/tlp-2.0>
const TLP_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// What a bundle is of.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The incident: every id of the bundle follows from its own.
    pub incident: IncidentId,
    /// Its number for people.
    pub number: String,
    /// Its title, where it may be told.
    pub title: Option<String>,
    /// When it was opened.
    pub opened_at: Millis,
}

/// The id, the name and the word of a marking.
const fn marking(tlp: Tlp) -> (&'static str, &'static str, &'static str) {
    match tlp {
        Tlp::Clear => ("94868c89-83c2-464b-929b-a1a8aa3c8487", "TLP:CLEAR", "clear"),
        Tlp::Green => ("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "TLP:GREEN", "green"),
        Tlp::Amber => ("55d920b0-5e8b-4f79-9ee9-91f868d9b421", "TLP:AMBER", "amber"),
        Tlp::AmberStrict => {
            ("939a9414-2ddd-4d32-a0cd-375ea402b003", "TLP:AMBER+STRICT", "amber+strict")
        }
        Tlp::Red => ("e828b379-4e03-4974-9ac4-e53a884c97c1", "TLP:RED", "red"),
    }
}

/// The lines as a bundle, without a line break at its end. Details are left out: who reads a bundle
/// wants what happened.
pub fn stix(lines: &[TimelineEntry], subject: &Subject, document: &Document<'_>) -> String {
    let pen = Pen { subject, document };
    let told = lines.iter().filter(|line| !line.detail && line.line().is_some());
    let told: Vec<TimelineEntry> = told.cloned().collect();
    let notes: Vec<Value> = told.iter().filter_map(|line| pen.note(line)).collect();
    let mut objects = vec![pen.marking(), pen.identity(), pen.incident()];
    let ids: Vec<Value> = notes.iter().filter_map(|note| note.get("id").cloned()).collect();
    objects.push(pen.grouping(ids, &About::of(&told, document)));
    objects.extend(notes);
    let id = pen.id("bundle", &format!("{}:{}", document.as_of, objects.len()));
    let bundle = json!({"type": "bundle", "id": id, "objects": objects});
    armoured(&bundle.to_string())
}

struct Pen<'a> {
    subject: &'a Subject,
    document: &'a Document<'a>,
}

impl Pen<'_> {
    /// The id of an object: the same for the same name in the same incident.
    fn id(&self, kind: &str, name: &str) -> String {
        let uuid = named_uuid(self.subject.incident, &format!("{kind}:{name}"));
        format!("{kind}--{uuid}")
    }

    fn identity_id(&self) -> String {
        self.id("identity", "provider")
    }

    fn incident_id(&self) -> String {
        self.id("incident", "itself")
    }

    fn marking_id(&self) -> String {
        format!("marking-definition--{}", marking(self.document.tlp).0)
    }

    /// What every object of ours says of itself.
    fn object(&self, kind: &str, id: String, (created, more): (Millis, Value)) -> Value {
        let mut object = Map::new();
        object.insert("type".to_owned(), kind.into());
        object.insert("spec_version".to_owned(), "2.1".into());
        object.insert("id".to_owned(), id.into());
        if kind != "identity" {
            object.insert("created_by_ref".to_owned(), self.identity_id().into());
        }
        object.insert("created".to_owned(), created.to_string().into());
        object.insert("modified".to_owned(), created.to_string().into());
        object.insert("lang".to_owned(), self.document.lang.as_str().into());
        object.insert("object_marking_refs".to_owned(), json!([self.marking_id()]));
        if let Value::Object(more) = more {
            object.extend(more);
        }
        Value::Object(object)
    }

    fn marking(&self) -> Value {
        let (_, name, word) = marking(self.document.tlp);
        json!({
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": self.marking_id(),
            "created": "2022-10-01T00:00:00.000Z",
            "name": name,
            "extensions": {
                TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": word},
            },
        })
    }

    fn identity(&self) -> Value {
        let name = self.subject.number.split('-').next().unwrap_or_default();
        let more = json!({"name": name, "identity_class": "organization"});
        self.object("identity", self.identity_id(), (self.subject.opened_at, more))
    }

    fn incident(&self) -> Value {
        let Subject { number, title, opened_at, .. } = self.subject;
        let name =
            title.as_ref().map_or_else(|| number.clone(), |title| format!("{number} {title}"));
        let mut more = json!({
            "name": name,
            "external_references": [{"source_name": "beistand", "external_id": number}],
        });
        if let (crate::model::Mode::Drill, Value::Object(more)) = (self.document.mode, &mut more) {
            let drill = words(self.document.lang).drill;
            more.insert("labels".to_owned(), json!(["drill"]));
            more.insert("description".to_owned(), drill.into());
        }
        self.object("incident", self.incident_id(), (*opened_at, more))
    }

    /// What holds all of it together. Which lines these are it says in a property of its own, which
    /// others pass over (STIX 2.1, section 11.1).
    fn grouping(&self, notes: Vec<Value>, about: &About) -> Value {
        let mut refs = vec![Value::from(self.incident_id())];
        refs.extend(notes);
        let name = format!("{} {}", words(self.document.lang).timeline, self.subject.number);
        let more = json!({"name": name, "context": "unspecified", "object_refs": refs,
                          "x_beistand_export": about});
        let id = self.id("grouping", &self.document.as_of.to_string());
        self.object("grouping", id, (self.document.as_of, more))
    }

    /// A line. One that has no name of its own can not be pointed at, and is left out.
    fn note(&self, line: &TimelineEntry) -> Option<Value> {
        let name = line.line()?.to_string();
        let mut refs = vec![self.incident_id()];
        refs.extend(line.about.map(|about| self.id("note", &about.to_string())));
        let mut more = json!({
            "content": line.text,
            "object_refs": refs,
            "labels": [line.lane.as_str(), line.kind],
            "external_references": [{"source_name": "beistand", "external_id": name}],
        });
        let happened = self.document.zone.local(line.when(), self.document.lang).full();
        if let Value::Object(more) = &mut more {
            more.insert("abstract".to_owned(), happened.into());
            if let Some(actor) = &line.actor {
                more.insert("authors".to_owned(), json!([actor]));
            }
        }
        Some(self.object("note", self.id("note", &name), (line.at, more)))
    }
}
