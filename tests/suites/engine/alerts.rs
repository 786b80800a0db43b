//! An alert that comes again because nobody knows whether it was heard: nothing of it is there twice.

use std::collections::{BTreeMap, BTreeSet};

use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, Alert, AlertRule};
use beistand_core::model::{
    Digest, IncidentId, Millis, Mode, Severity, Span, TargetKind, digest_of_bytes,
};
use beistand_runtime::{Clock as _, Engine, EngineError, Hearing, HookAlert, WallClock, brief};

use super::world::engine;

fn alert(text: &str, sent_at: Millis) -> HookAlert {
    let rule = AlertRule {
        title: "Alert".to_owned().try_into().unwrap(),
        severity: Severity::default(),
        mode: Mode::Live,
        organisation: Some("stadt-a".parse().unwrap()),
        key: None,
        assets: Vec::new(),
        proposal: None,
    };
    let alert = Alert {
        title: "Beacon".to_owned(),
        key: Some("k".to_owned()),
        assets: BTreeMap::from([(TargetKind::Host, vec!["pc-1".to_owned()])]),
        text: text.to_owned(),
        proposed: Some(("ransomware-containment".parse().unwrap(), "{}".to_owned())),
        missing: BTreeSet::new(),
    };
    HookAlert {
        hook: "siem".to_owned(),
        rule,
        alert,
        signature: digest_of_bytes(text.as_bytes()),
        sent_at,
        until: sent_at.plus(Span::from_secs(600)),
        quota: 100,
        short: "SIT".to_owned(),
    }
}

async fn heard(engine: &Engine, alert: &HookAlert) -> IncidentId {
    match engine.alert(alert.clone()).await.unwrap() {
        Hearing::Heard(heard) => heard.incident,
        Hearing::TooMany => panic!("too many"),
    }
}

/// As after a crash before it was remembered.
async fn forgotten(engine: &Engine, signature: Digest) {
    let key = format!("hook/siem/{}", signature.hex());
    engine.journal().forget(&key).await.unwrap();
}

/// The kinds of what was written into an incident.
#[expect(clippy::wildcard_enum_match_arm, reason = "an alert writes nothing else")]
async fn kinds(engine: &Engine, id: IncidentId) -> Vec<&'static str> {
    let reader = engine.journal().reader();
    let stream = reader.stream(StreamKind::Incident, &id.to_string()).await.unwrap().unwrap();
    let entries = reader.entries(&stream, 0, 1_000).await.unwrap();
    let events = entries
        .iter()
        .flat_map(|entry| incident::decode(&entry.head, entry.body.as_deref()).unwrap().1);
    let kind = |event: incident::Event| match event.head {
        incident::Head::NoteAdded { .. } => Some("note"),
        incident::Head::PlaybookProposed { .. } => Some("proposal"),
        incident::Head::AssetChanged { .. } => Some("asset"),
        incident::Head::OrganisationLinked => Some("link"),
        _ => None,
    };
    events.filter_map(kind).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_comes_again_after_a_crash_writes_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let now = WallClock.now();
    let (first, second) = (alert("one", now), alert("two", now));
    let id = heard(&engine, &first).await;
    assert_eq!(heard(&engine, &second).await, id, "they are about the same");
    let wanted = ["link", "note", "asset", "proposal", "note", "proposal"];
    assert_eq!(kinds(&engine, id).await, wanted);
    for again in [&first, &second, &first] {
        forgotten(&engine, again.signature).await;
        assert_eq!(heard(&engine, again).await, id);
    }
    assert_eq!(kinds(&engine, id).await, wanted);
    // Whoever is in command finds it in the briefing, once.
    let briefing = brief(engine.journal().reader(), id).await.unwrap().briefing;
    let proposals: Vec<_> = briefing.proposals.iter().map(|one| one.playbook.as_str()).collect();
    assert_eq!(proposals, ["ransomware-containment"]);
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_known_again_below_all_that_was_written_since() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    // As early as its sender's clock may be late.
    let first = alert("one", WallClock.now().plus(Span::from_secs(290)));
    let id = heard(&engine, &first).await;
    for number in 0..450 {
        let act = beistand_runtime::IncidentAct::Note { text: number.to_string(), at: None };
        let by = super::world::anna();
        let verb = beistand_runtime::Verb::Incident { incident: id, act, by, if_seq: None };
        engine.execute(verb).await.unwrap();
    }
    let before = kinds(&engine, id).await.len();
    forgotten(&engine, first.signature).await;
    assert_eq!(heard(&engine, &first).await, id);
    assert_eq!(kinds(&engine, id).await.len(), before);
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_in_is_not_written_again_though_its_incident_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let (now, journal) = (WallClock.now(), engine.journal());
    let alert = alert("one", now);
    let key = format!("hook/siem/{}", alert.signature.hex());
    journal.see(&key, now, alert.until).await.unwrap();
    let refused = engine.alert(alert).await;
    assert!(matches!(refused, Err(EngineError::Conflict(_))), "{refused:?}");
    let all = journal.reader().incidents(beistand_journal::Page::first(10)).await.unwrap();
    assert!(all.is_empty(), "{all:?}");
    engine.leave().await;
}
