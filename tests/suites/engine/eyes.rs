//! A reader of one organisation asks everything that can be asked, of a real store in which another
//! one's name stands wherever a text can stand.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::world::{anna, engine_with, new_run};
use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, AssetState};
use beistand_core::model::{
    EntryId, IncidentId, Inventory, InventoryHost, Mode, Organisation, RunId, TargetKind, Tlp,
    digest_of_bytes,
};
use beistand_core::run::Actor;
use beistand_core::timeline::{Export, Filter, Lang, Scope, Zone};
use beistand_journal::{Append, Asset, Change, Evidence, NeedFilter, RunFilter, To};
use beistand_runtime::{
    Clock as _, Engine, EngineError, IncidentAct, NewIncident, NewRun, Selection, Telling,
    TimelineFormat, Verb, ViewPage, Views, WallClock,
};
use beistand_script::Scripts;
use serde_json::{Value, json};

/// Stands in every value that is another town's, or nobody's.
const CANARY: &str = "stadt-b";

const CUT: &str = "playbook: contain
language: 1
title: Contain
inputs:
  hosts: { type: array, items: { type: string, format: host } }
  ticket: { type: string }
steps:
  - id: contain
    for_each: inputs.hosts
    as: host
    steps:
      - { id: say, note: \"Cutting ${host} off\" }
      - { id: cut, call: network.isolate, with: { host: \"${host}\", reason: \"${inputs.ticket}\" } }
  - { id: tell, note: \"${inputs.ticket}\" }
  - id: stay
    task:
      role: responder
      instructions: \"Look: ${inputs.ticket}\"
      form: { seen: { type: string } }
";

fn named(name: &str) -> Organisation {
    name.parse().unwrap()
}

fn reader_of(organisation: &str) -> Scope {
    Scope { organisations: Some([named(organisation)].into()), ..Scope::ALL }
}

fn host(name: &str, organisation: &str) -> InventoryHost {
    InventoryHost {
        name: name.to_owned(),
        addresses: BTreeSet::new(),
        macs: BTreeSet::new(),
        organisation: Some(named(organisation)),
        groups: BTreeSet::new(),
    }
}

/// What was made in the store.
struct Night {
    engine: Engine,
    views: Views,
    /// Concerns both towns.
    both: (IncidentId, RunId),
    /// Concerns the other town alone.
    theirs: (IncidentId, RunId),
    /// Concerns the reader's town, and is for named persons only.
    red: (IncidentId, RunId),
}

async fn incident(engine: &Engine, title: &str, tlp: Tlp, concerned: &[&str]) -> IncidentId {
    let (mode, by) = (Mode::Live, anna());
    let severity = 3.try_into().unwrap();
    let new =
        NewIncident { title: title.to_owned(), mode, severity, tlp, short: "SIT".to_owned(), by };
    let opened = engine.open_incident(&new).await.unwrap();
    for organisation in concerned {
        act(engine, opened.id, IncidentAct::Link { organisation: named(organisation) }).await;
    }
    opened.id
}

async fn act(engine: &Engine, incident: IncidentId, act: IncidentAct) {
    engine.execute(Verb::Incident { incident, act, by: anna(), if_seq: None }).await.unwrap();
}

/// An asset and a file of each town, and of nobody.
async fn things(engine: &Engine, id: IncidentId) {
    let now = WallClock.now();
    for (number, whose) in [Some("stadt-a"), Some(CANARY), None].into_iter().enumerate() {
        let organisation = whose.map(named);
        let name = format!("pc.{}", if whose == Some("stadt-a") { "stadt-a" } else { CANARY });
        let name = format!("{number}.{name}");
        let digest = digest_of_bytes(name.as_bytes());
        let kind = TargetKind::Host;
        let state = AssetState::Affected;
        let heads = [
            incident::Head::AssetChanged { kind, state },
            incident::Head::EvidenceAdded { digest, bytes: 4 },
        ];
        let events = heads.map(|head| {
            incident::Event::new(head, anna()).named(name.clone()).of(organisation.clone())
        });
        let entry = EntryId::at(now, &[u8::try_from(number).unwrap(); 10]);
        let (head, body) = incident::encode(entry, &events);
        let to = To::End { kind: StreamKind::Incident, id: id.to_string() };
        let mut append = Append::new(to, now, head)
            .change(Change::PutAsset(Box::new(Asset {
                incident: id,
                kind: kind.as_str().to_owned(),
                value: name.clone(),
                state: state.to_string(),
                organisation: organisation.clone(),
                at: now,
            })))
            .change(Change::AddEvidence(Box::new(Evidence {
                incident: id,
                digest,
                name,
                organisation,
                by: anna().person,
                at: now,
            })));
        append.body = body;
        engine.journal().append(append).await.unwrap();
    }
}

async fn night(folder: &std::path::Path) -> Night {
    let hosts = vec![host("pc-1", "stadt-a"), host("srv.stadt-b", CANARY)];
    let engine = engine_with(&folder.join("a.db"), Vec::new(), |mut parts| {
        parts.modes.live.setup.inventory = Inventory::new(hosts).unwrap();
        parts
    })
    .await;
    let run_in = |incident, hosts: Value| {
        let inputs = json!({"hosts": hosts, "ticket": "stadt-b burns"});
        engine.launch(NewRun { incident: Some(incident), ..new_run(CUT, inputs) })
    };
    let both = incident(&engine, "stadt-b and stadt-a", Tlp::Amber, &["stadt-a", CANARY]).await;
    let text = "stadt-b has called".to_owned();
    act(&engine, both, IncidentAct::Note { text, at: None }).await;
    let name = "stadt-b.raw".to_owned();
    act(&engine, both, IncidentAct::Evidence { name, base64: "ZHVtcA==".to_owned() }).await;
    things(&engine, both).await;
    let theirs = incident(&engine, "stadt-b alone", Tlp::Amber, &[CANARY]).await;
    engine.execute(Verb::StopAll { by: anna(), reason: CANARY.to_owned() }).await.unwrap();
    let on = Verb::GoOn { by: Actor::asserted("ben".parse().unwrap()), reason: CANARY.to_owned() };
    engine.execute(on).await.unwrap();
    let red = incident(&engine, "In red", Tlp::Red, &["stadt-a"]).await;
    let of_both = run_in(both, json!(["pc-1", "srv.stadt-b"])).await.unwrap();
    engine.rest().await;
    let of_theirs = run_in(theirs, json!(["srv.stadt-b"])).await.unwrap();
    engine.rest().await;
    let of_red = run_in(red, json!(["pc-1"])).await.unwrap();
    engine.rest().await;
    let reader = engine.journal().reader().clone();
    let views = Views::new(reader, Arc::new(Scripts::without_budget()));
    let (both, theirs, red) = ((both, of_both), (theirs, of_theirs), (red, of_red));
    Night { engine, views, both, theirs, red }
}

/// The answers to every question, each with its name.
async fn everything(night: &Night, scope: &Scope) -> Vec<(String, String)> {
    let views = &night.views;
    let (incident, run) = night.both;
    let page = ViewPage::first(100);
    let mut all: Vec<(&str, Value)> = vec![
        ("run", views.run(run, scope).await.unwrap()),
        ("runs", json!(views.runs(&RunFilter::default(), &page, scope).await.unwrap().items)),
        ("needs", json!(views.needs(&NeedFilter::default(), scope).await.unwrap())),
        ("incident", views.incident(incident, scope).await.unwrap()),
        ("incidents", json!(views.incidents(&page, scope).await.unwrap().items)),
        ("holds", json!(views.holds(scope).await.unwrap())),
    ];
    let bytes = views.run_bytes(run, scope).await.unwrap().bytes;
    all.push(("run bytes", serde_json::from_slice(&bytes).unwrap()));
    for of in [None, Some(run)] {
        let fed = views.feed(of, (Some(0), 500), scope).await.unwrap();
        all.push(("feed", json!(fed)));
    }
    let of_run = NeedFilter { run: Some(run), ..NeedFilter::default() };
    all.push(("needs of a run", json!(views.needs(&of_run, scope).await.unwrap())));
    let mut texts: Vec<(String, String)> =
        all.into_iter().map(|(name, value)| (name.to_owned(), value.to_string())).collect();
    for lang in [Lang::De, Lang::En] {
        let telling = Telling { lang, zone: Zone::Berlin, now: WallClock.now() };
        let asked = (&Filter::default(), &page);
        let lines = views.timeline(incident, asked, &telling, scope).await.unwrap();
        texts.push(("timeline".to_owned(), json!(lines.items).to_string()));
        let told = views.told(incident, lang, scope).await.unwrap();
        texts.push(("told".to_owned(), format!("{} {:?}", told.heading(), told.lines)));
        texts.push(("review".to_owned(), json!(told.review(&telling)).to_string()));
        for format in [
            TimelineFormat::Table { width: 100, all: true, ids: true },
            TimelineFormat::Jsonl,
            TimelineFormat::Csv,
            TimelineFormat::Html,
            TimelineFormat::Stix,
        ] {
            let text = views
                .export(incident, (format, &Selection::default()), &telling, scope)
                .await
                .unwrap();
            texts.push((format!("{format:?}"), text));
        }
        texts.push(("paper".to_owned(), views.checklist(run, lang, scope).await.unwrap()));
    }
    texts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_question_tells_a_reader_of_one_organisation_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let night = night(folder.path()).await;
    for (name, text) in everything(&night, &Scope::ALL).await {
        let planted = text.contains(CANARY) || name == "feed";
        assert!(planted, "the canary is planted in {name}: {text}");
    }
    let mine = reader_of("stadt-a");
    for (name, text) in everything(&night, &mine).await {
        assert_eq!(text.matches(CANARY).count(), 0, "{name}: {text}");
        // Their own is there, where anything is said of it at all.
        let silent = ["needs", "needs of a run", "incidents", "runs", "paper", "feed"];
        assert!(
            text.contains("pc-1") || text.contains("pc.stadt-a") || silent.contains(&&*name),
            "{name}: {text}"
        );
    }
    let run = night.views.run(night.both.1, &mine).await.unwrap();
    let paths: Vec<&str> = run["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["contain", "contain[0]/say", "contain[0]/cut", "tell", "stay"]);
    assert_eq!(run["steps"][2]["output"]["state"], "isolated");
    assert_eq!(run["needs"][0]["role"], "responder");
    assert_eq!(run["needs"][0]["title"], Value::Null);
    let incident = night.views.incident(night.both.0, &mine).await.unwrap();
    assert_eq!(incident["organisations"], json!(["stadt-a"]));
    assert_eq!(incident["assets"][0]["value"], "0.pc.stadt-a");
    assert_eq!(incident["title"], Value::Null);
    // The feed says of another town's host not even that something was sent to it.
    let mut sent = Vec::new();
    for scope in [&Scope::ALL, &mine] {
        let fed = night.views.feed(None, (Some(0), 500), scope).await.unwrap();
        assert!(!fed.more);
        let of_run = fed.items.iter().filter(|item| item.id == night.both.1.to_string());
        let kinds = of_run.flat_map(|item| &item.kinds);
        sent.push(kinds.filter(|kind| **kind == "attempt-started").count());
        let theirs = [night.theirs.0.to_string(), night.theirs.1.to_string()];
        let told = fed.items.iter().filter(|item| theirs.contains(&item.id)).count();
        let own = fed.items.iter().filter(|item| item.stream == "store").count();
        assert_eq!((told > 0, own > 0), (scope.is_all(), scope.is_all()), "{fed:?}");
    }
    assert_eq!(sent, [2, 1]);
    night.engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_seen_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let night = night(folder.path()).await;
    let views = &night.views;
    let telling = Telling { lang: Lang::En, zone: Zone::Utc, now: WallClock.now() };
    let whole = Selection::default();
    let amber = Scope { tlp: Tlp::Amber, ..Scope::ALL };
    let nobody = Scope::NOTHING;
    let hidden = [
        (reader_of("stadt-a"), night.theirs),
        (amber.clone(), night.red),
        (Scope { tlp: Tlp::Amber, ..reader_of("stadt-a") }, night.red),
        (nobody.clone(), night.both),
    ];
    for (scope, (incident, run)) in hidden {
        let page = ViewPage::first(100);
        let absent = RunId::new(1, &[7; 10]);
        let said = views.run(run, &scope).await.unwrap_err().to_string();
        let missing = views.run(absent, &scope).await.unwrap_err().to_string();
        assert_eq!(said.replace(&run.to_string(), ""), missing.replace(&absent.to_string(), ""));
        let asked = (&Filter::default(), &page);
        let refused = [
            views.incident(incident, &scope).await.err(),
            views.told(incident, Lang::En, &scope).await.err(),
            views.timeline(incident, asked, &telling, &scope).await.err(),
            views.export(incident, (TimelineFormat::Csv, &whole), &telling, &scope).await.err(),
            views.checklist(run, Lang::En, &scope).await.err(),
            views.run_bytes(run, &scope).await.err(),
            views.feed(Some(run), (None, 1), &scope).await.err(),
        ];
        for refused in refused {
            assert!(matches!(refused, Some(EngineError::NotFound(_))), "{refused:?}");
        }
        let lists = [
            views.runs(&RunFilter::default(), &page, &scope).await.unwrap().items,
            views.incidents(&page, &scope).await.unwrap().items,
            views.needs(&NeedFilter::default(), &scope).await.unwrap(),
            views.holds(&scope).await.unwrap(),
        ];
        for list in lists {
            let text = json!(list).to_string();
            assert!(!text.contains(&run.to_string()), "{scope:?}: {text}");
            assert!(!text.contains(&incident.to_string()), "{scope:?}: {text}");
        }
    }
    assert!(views.incidents(&ViewPage::first(9), &nobody).await.unwrap().items.is_empty());
    let two = views.incidents(&ViewPage::first(9), &amber).await.unwrap().items;
    assert_eq!(two.len(), 2, "those that are not red");

    // One incident may be read whole, and what is the store's own still is not given away.
    let mut scope = reader_of("stadt-a");
    scope.incidents = [night.theirs.0].into();
    let run = views.run(night.theirs.1, &scope).await.unwrap();
    assert_eq!(run, views.run(night.theirs.1, &Scope::ALL).await.unwrap());
    assert_eq!(views.holds(&scope).await.unwrap().len(), 3, "both of pc-1, and that incident's");
    let text = views
        .export(night.theirs.0, (TimelineFormat::Jsonl, &whole), &telling, &scope)
        .await
        .unwrap();
    assert!(text.contains("srv.stadt-b") && Export::read(&text).is_err(), "{text}");
    let text =
        views.export(night.both.0, (TimelineFormat::Jsonl, &whole), &telling, &Scope::ALL).await;
    Export::read(&text.unwrap()).unwrap().check().unwrap();
    night.engine.leave().await;
}
