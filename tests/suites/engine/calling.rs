//! Who is called to what waits, by an engine in this process: nothing is out of sight because much
//! waits, and one person is one mail.

use std::sync::Arc;
use std::time::Duration;

use beistand_connector_api::Call;
use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, Event, Head};
use beistand_core::model::{EntryId, IncidentId, Millis, Mode, NeedId, Role, Severity, Span, Tlp};
use beistand_core::on_call::{CallOutEnd, Roster, Shift};
use beistand_core::run::NeedKind;
use beistand_core::timeline::{Lang, Scope};
use beistand_journal::{Append, Change, Need, NeedFilter, To};
use beistand_runtime::{
    Calling, Clock as _, Engine, NewIncident, Rosters, Views, WallClock, call_outs,
};
use beistand_script::Scripts;
use serde_json::json;
use tokio::sync::watch;

use super::world::{Calls, anna, engine, noting};

#[derive(Debug)]
struct Ben;

impl Rosters for Ben {
    fn roster(&self) -> Arc<Roster> {
        let shift = |role| Shift {
            role,
            person: "ben".parse().unwrap(),
            from: None,
            until: None,
            mail: vec!["ben@example.org".to_owned()],
            telephone: None,
        };
        Arc::new(Roster::new(vec![shift(Role::Commander), shift(Role::Deputy)]))
    }
}

struct Night {
    engine: Engine,
    mails: Calls,
    _folder: tempfile::TempDir,
}

impl Night {
    async fn new() -> Self {
        let (folder, mails) = (tempfile::tempdir().unwrap(), Calls::default());
        let others = vec![("mail", "relay", noting(&mails))];
        let engine = engine(&folder.path().join("a.db"), others).await;
        Self { engine, mails, _folder: folder }
    }

    async fn incident(&self) -> IncidentId {
        let new = NewIncident {
            title: "Night".to_owned(),
            mode: Mode::Live,
            severity: Severity::default(),
            tlp: Tlp::Amber,
            short: "SIT".to_owned(),
            by: anna(),
        };
        self.engine.open_incident(&new).await.unwrap().id
    }

    /// Needs that opened a while ago, one for each number.
    async fn waits(&self, incident: IncidentId, role: Role, numbers: std::ops::Range<u32>) {
        let since = WallClock.now().minus(Span::from_secs(600));
        let mut append = noted(incident);
        append.changes.extend(
            numbers.map(|number| Change::PutNeed(Box::new(need(incident, (role, number), since)))),
        );
        self.engine.journal().append(append).await.unwrap();
    }

    /// Calls people until so many mails went out and were written down as sent.
    async fn call(&self, mails: usize, incidents: &[IncidentId]) {
        let (tell, end) = watch::channel(false);
        let calling = Calling {
            by: "relay".parse().unwrap(),
            rosters: Arc::new(Ben),
            lang: Lang::En,
            telephone: None,
        };
        let engine = self.engine.clone();
        let looking = tokio::spawn(async move { engine.call_people(calling, end).await });
        let sent = async {
            loop {
                let mut all = Vec::new();
                for incident in incidents {
                    let reader = self.engine.journal().reader();
                    all.extend(call_outs(reader, *incident).await.unwrap().all().to_vec());
                }
                let sent = |end| matches!(end, Some((CallOutEnd::Sent, _)));
                let count = self.mails.lock().unwrap().len();
                if count >= mails && all.len() >= mails && all.iter().all(|one| sent(one.end)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), sent).await.expect("a mail");
        tell.send(true).unwrap();
        looking.await.unwrap();
    }
}

/// A note in an incident.
fn noted(incident: IncidentId) -> Append {
    let now = WallClock.now();
    let note = Event::new(Head::NoteAdded { happened_at: None }, anna());
    let (head, body) = incident::encode(EntryId::at(now, &[0; 10]), &[note.text("much waits")]);
    let to = To::End { kind: StreamKind::Incident, id: incident.to_string() };
    let mut append = Append::new(to, now, head);
    append.body = body;
    append
}

fn need(incident: IncidentId, (role, number): (Role, u32), since: Millis) -> Need {
    let mut ten = [0; 10];
    for (to, from) in ten.iter_mut().zip(number.to_be_bytes().into_iter().chain([role as u8])) {
        *to = from;
    }
    let id = NeedId::at(since, &ten);
    let body = json!({"id": id, "incident": incident, "title": format!("thing {number}")});
    Need {
        id,
        run: None,
        root: None,
        incident,
        mode: Mode::Live,
        kind: NeedKind::Task,
        step: None,
        group: None,
        role: Some(role),
        organisation: None,
        digest: None,
        since,
        until: None,
        escalated_at: None,
        closed_at: None,
        body: body.to_string(),
    }
}

fn said(mail: &Call, part: &str) -> String {
    mail.arguments[part].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_opened_after_ten_thousand_others_is_called_to_as_well() {
    let night = Night::new().await;
    let incident = night.incident().await;
    night.waits(incident, Role::Scribe, 0..10_001).await;
    night.waits(incident, Role::Commander, 0..1).await;
    night.call(1, &[incident]).await;
    let mails = night.mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 1);
    assert!(said(&mails[0], "subject").contains(": task, waits for the commander"), "{mails:?}");
    assert!(said(&mails[0], "text").contains("thing 0"), "{mails:?}");
    night.engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_in_several_incidents_is_one_mail_that_each_of_them_knows_of() {
    let night = Night::new().await;
    let (one, two) = (night.incident().await, night.incident().await);
    night.waits(one, Role::Commander, 0..2).await;
    night.waits(two, Role::Deputy, 7..8).await;
    night.call(1, &[one, two]).await;
    let mails = night.mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 1, "{mails:?}");
    for title in ["thing 0", "thing 1", "thing 7"] {
        assert!(said(&mails[0], "text").contains(title), "{mails:?}");
    }
    let reader = night.engine.journal().reader();
    for (incident, needs) in [(one, 2), (two, 1)] {
        let calls = call_outs(reader, incident).await.unwrap();
        let [call] = calls.all() else { panic!("{calls:?}") };
        assert_eq!((call.key, call.needs.len()), (mails[0].key, needs));
    }
    // What pages and the command line show of it.
    let views = Views::new(reader.clone(), Arc::new(Scripts::without_budget()));
    let shown = views.needs(&NeedFilter::default(), &Scope::ALL).await.unwrap();
    assert_eq!(shown.len(), 3);
    for need in shown {
        let [call] = need["called"].as_array().unwrap().as_slice() else { panic!("{need}") };
        assert_eq!((&call["person"], &call["end"]), (&json!("ben"), &json!("sent")), "{need}");
        assert_eq!(call["key"], json!(mails[0].key), "{need}");
    }
    night.engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_writes_notes_without_end_keeps_nobody_from_being_called() {
    let night = Night::new().await;
    let incident = night.incident().await;
    night.waits(incident, Role::Commander, 0..1).await;
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let journal = night.engine.journal().clone();
            tokio::spawn(async move {
                loop {
                    journal.append(noted(incident)).await.unwrap();
                }
            })
        })
        .collect();
    night.call(1, &[incident]).await;
    for writer in writers {
        writer.abort();
    }
    assert_eq!(night.mails.lock().unwrap().len(), 1);
    night.engine.leave().await;
}
