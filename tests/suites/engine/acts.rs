//! What many people do to one incident at once: nobody's change is written away by another's.

use beistand_core::incident::AssetState;
use beistand_core::model::{IncidentId, Mode, RunId, Severity, Span, TargetKind, Tlp};
use beistand_core::run::{Answer, AnswerKind, Command};
use beistand_runtime::{EngineError, IncidentAct, NewIncident, Verb, compare};
use beistand_script::Scripts;
use serde_json::{Value, json};

use super::world::{anna, engine};

/// An engine with an incident.
async fn opened(folder: &std::path::Path) -> (beistand_runtime::Engine, IncidentId) {
    let engine = engine(&folder.join("a.db"), Vec::new()).await;
    let new = NewIncident {
        title: "Night".to_owned(),
        mode: Mode::Drill,
        severity: Severity::default(),
        tlp: Tlp::Amber,
        short: "SIT".to_owned(),
        by: anna(),
    };
    let incident = engine.open_incident(&new).await.unwrap().id;
    (engine, incident)
}

fn edit(title: Option<&str>, severity: Option<u8>, tlp: Option<Tlp>) -> IncidentAct {
    IncidentAct::Edit {
        title: title.map(str::to_owned),
        severity: severity.map(|severity| Severity::try_from(severity).unwrap()),
        tlp,
        reason: String::new(),
    }
}

fn asset(name: &str) -> IncidentAct {
    let (kind, values) = (TargetKind::Host, vec![name.to_owned()]);
    IncidentAct::Assets { kind, values, state: AssetState::Affected, organisation: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acts_at_once_do_not_write_each_other_away() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, incident) = opened(folder.path()).await;
    let mut acts = vec![
        edit(Some("Two servers"), None, None),
        edit(None, Some(4), None),
        edit(None, None, Some(Tlp::Red)),
        IncidentAct::Close { reason: "over".to_owned() },
    ];
    for number in 0..8 {
        acts.push(asset(&format!("pc-{number}")));
        acts.push(IncidentAct::Note { text: format!("note {number}"), at: None });
    }
    let mut acting = tokio::task::JoinSet::new();
    for act in acts {
        let verb = Verb::Incident { incident, act, by: anna(), if_seq: None };
        let engine = engine.clone();
        acting.spawn(async move { engine.execute(verb).await.unwrap() });
    }
    let answers = acting.join_all().await;
    let mut numbers: Vec<u64> =
        answers.iter().filter_map(|answer| answer["seq"].as_u64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=21).collect::<Vec<_>>(), "each is an entry of its own");
    let reader = engine.journal().reader().clone();
    let row = reader.incident(incident).await.unwrap().unwrap();
    assert_eq!((row.title.as_str(), row.severity.get(), row.tlp), ("Two servers", 4, Tlp::Red));
    assert!(row.closed_at.is_some());
    assert_eq!(reader.assets(incident).await.unwrap().len(), 8);
    let compared = compare(&reader, &Scripts::without_budget()).await.unwrap();
    assert_eq!(compared.differences, []);
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_who_name_the_entry_they_saw_one_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, incident) = opened(folder.path()).await;
    let mut acting = tokio::task::JoinSet::new();
    for number in 0..8 {
        let verb = Verb::Incident {
            incident,
            act: asset(&format!("pc-{number}")),
            by: anna(),
            if_seq: Some(1),
        };
        let engine = engine.clone();
        acting.spawn(async move { engine.execute(verb).await });
    }
    let answers: Vec<Result<Value, EngineError>> = acting.join_all().await;
    let (heard, late): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((heard.len(), late.len()), (1, 7));
    for refused in late {
        assert!(matches!(refused, Err(EngineError::Moved { seq: 2, .. })), "{refused:?}");
    }
    assert_eq!(engine.journal().reader().assets(incident).await.unwrap().len(), 1);
    engine.leave().await;
}

/// Whoever posts a command to a store asks no HTTP and no command line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_yet_to_come_is_refused_by_the_engine_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, incident) = opened(folder.path()).await;
    let late = Some(engine.now().plus(Span::from_secs(3600)));
    let note = |at| {
        let act = IncidentAct::Note { text: "It began.".to_owned(), at };
        Verb::Incident { incident, act, by: anna(), if_seq: None }
    };
    let answers = vec![Answer {
        need: "01a2b3c4-0000-7000-8000-000000000000".parse().unwrap(),
        answer: AnswerKind::Done,
        reason: String::new(),
        form: json!(null),
        digest: None,
        done_at: late,
    }];
    let run = RunId::new(0, &[0; 10]);
    let done = Verb::Run { run, command: Command::Answer { answers, by: anna(), roles: None } };
    for verb in [note(late), done] {
        let refused = engine.execute(verb).await;
        assert!(matches!(refused, Err(EngineError::Usage(_))), "{refused:?}");
    }
    engine.execute(note(Some(engine.now()))).await.unwrap();
    engine.leave().await;
}

/// A drill with a note, an asset and somebody who has command of it.
async fn a_drill(folder: &std::path::Path) -> (beistand_runtime::Engine, IncidentId) {
    let (engine, drill) = opened(folder).await;
    let person = Some("anna".parse().unwrap());
    let acts = [
        IncidentAct::Note { text: "Somebody calls.".to_owned(), at: None },
        asset("pc-7"),
        IncidentAct::Assign { role: beistand_core::model::Role::Commander, person },
    ];
    for act in acts {
        let verb = Verb::Incident { incident: drill, act, by: anna(), if_seq: None };
        engine.execute(verb).await.unwrap();
    }
    (engine, drill)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_turns_real_once_however_many_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, drill) = a_drill(folder.path()).await;
    let mut saying = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let verb = Verb::TurnReal { incident: drill, short: "SIT".to_owned(), by: anna() };
        let engine = engine.clone();
        saying.spawn(async move { engine.execute(verb).await.unwrap() });
    }
    let answers = saying.join_all().await;
    let first = |answer: &&Value| answer.get("already").is_none();
    assert_eq!(answers.iter().filter(first).count(), 1, "{answers:?}");
    let number = answers[0]["number"].as_str().unwrap();
    assert!(answers.iter().all(|answer| answer["number"] == number), "{answers:?}");
    let live: IncidentId = answers[0]["incident"].as_str().unwrap().parse().unwrap();
    let reader = engine.journal().reader().clone();
    let row = reader.incident(live).await.unwrap().unwrap();
    assert_eq!((row.mode, row.title.as_str()), (Mode::Live, "Night"));
    assert_eq!(reader.assets(live).await.unwrap()[0].value, "pc-7");
    assert_eq!(reader.roles(live).await.unwrap(), []);
    let kind = beistand_core::entry::StreamKind::Incident;
    assert_eq!(reader.newest(kind, &drill.to_string()).await.unwrap(), 5, "it says so once");
    // What the rows keep besides stays when command is given and taken.
    let person = Some("ben".parse().unwrap());
    let act = IncidentAct::Assign { role: beistand_core::model::Role::Commander, person };
    let verb = Verb::Incident { incident: drill, act, by: anna(), if_seq: None };
    engine.execute(verb).await.unwrap();
    let compared = compare(&reader, &Scripts::without_budget()).await.unwrap();
    assert_eq!(compared.differences, []);
    let again = Verb::TurnReal { incident: live, short: "SIT".to_owned(), by: anna() };
    let refused = engine.execute(again).await.unwrap_err();
    assert!(matches!(refused, EngineError::Conflict(_)), "{refused:?}");
    engine.leave().await;
}
