//! Whose eyes: nobody reads what belongs to another, or above their marking.

use super::story::{TEXT, run, told};
use super::*;
use std::collections::BTreeSet;

use crate::model::{IncidentId, Organisation, Tlp};

#[test]
fn nobody_reads_what_belongs_to_another_organisation() {
    let mine: Organisation = "Stadt Hagen".parse().unwrap();
    let scope = Scope { organisations: Some([mine].into()), ..Scope::ALL };
    for lang in [Lang::De, Lang::En] {
        let lines = told(&scope, lang);
        let all = everything(&lines, None);
        for canary in ["srv-9", "Kreis Olpe"] {
            assert!(!all.contains(canary), "{canary}: {all}");
        }
        assert!(lines.iter().any(|line| line.text.contains("pc-1")), "their own is there");
        assert!(lines.iter().any(|line| line.kind == "run-ended"), "what is everybody's is there");
        // What is no one organisation's comes without what was written.
        assert!(!all.contains("renamed") && !all.contains("seen it"));
    }
}

#[test]
fn what_is_said_of_a_loop_item_belongs_to_whom_the_item_belongs() {
    let plan = plan(TEXT);
    let note = |at: &str, text: &str| Event::new(Head::Noted { path: path(at) }).text(text);
    let entries = recorded(
        1,
        vec![
            (0, vec![opened(&plan, 1, &json!({}))]),
            // Said before anything was sent to that host.
            (
                1,
                vec![
                    note("contain[0]/look", "pc-1 smokes"),
                    note("contain[1]/look", "srv-9 smokes"),
                ],
            ),
            (2, vec![attempt("contain[0]/cut", &host("pc-1", Some("Stadt Hagen")), 1)]),
            (3, vec![attempt("contain[1]/cut", &host("srv-9", Some("Kreis Olpe")), 1)]),
        ],
    );
    let mine: Organisation = "Stadt Hagen".parse().unwrap();
    let scope = Scope { organisations: Some([mine].into()), ..Scope::ALL };
    let lines = timeline(&entries, &plans(&[&plan]), &scope, Lang::En);
    let notes: Vec<&str> =
        lines.iter().filter(|line| line.kind == "noted").map(|line| line.text.as_str()).collect();
    assert_eq!(notes, ["pc-1 smokes"]);
}

#[test]
fn nobody_reads_above_their_marking() {
    let scope = |tlp| Scope { tlp, ..Scope::ALL };
    assert_eq!(told(&scope(Tlp::Green), Lang::En), []);
    assert_eq!(told(&scope(Tlp::Amber), Lang::En).len(), told(&Scope::ALL, Lang::En).len());
    // What an incident is marked with now holds for all that was ever said of it.
    let raised = incident::Head::IncidentChanged { severity: None, tlp: Some(Tlp::Red) };
    let raised = incident::Event::new(raised, actor("ben"));
    let mut entries = of_incident(vec![(0, incident_opened()), (1, raised)]);
    for _ in 0..2 {
        entries.reverse();
        let lines = |tlp| timeline(&entries, &BTreeMap::new(), &scope(tlp), Lang::En).len();
        assert_eq!((lines(Tlp::AmberStrict), lines(Tlp::Red)), (0, 2));
    }
    // Without its incident and its plan nobody knows how far a run may go.
    let unmarked = timeline(&run(&plan(TEXT)), &BTreeMap::new(), &scope(Tlp::Amber), Lang::En);
    assert_eq!(unmarked, []);
}

#[test]
fn one_incident_may_be_read_whole_and_another_in_part() {
    let id = |number| IncidentId::new(number, &[1; 10]);
    let mine: Organisation = "Stadt Hagen".parse().unwrap();
    let other = BTreeSet::from(["Kreis Olpe".parse().unwrap()]);
    let scope = Scope {
        organisations: Some([mine.clone()].into()),
        incidents: [id(1)].into(),
        ..Scope::ALL
    };
    assert_eq!(scope.within(id(1)).organisations, None);
    assert_eq!(scope.within(id(2)).organisations, Some([mine].into()));
    assert!(scope.sees(id(1), &other, Tlp::Amber));
    assert!(!scope.sees(id(2), &other, Tlp::Amber));
    assert!(!Scope { tlp: Tlp::Green, ..scope }.sees(id(1), &other, Tlp::Amber));
    assert!(!Scope::NOTHING.sees(id(1), &other, Tlp::Clear));
}

#[test]
fn the_number_of_another_incident_is_told_to_who_reads_everything_alone() {
    let (drill, live) = ("SIT-UEB-2026-0042", "SIT-2026-0043");
    let mut opened = incident_opened();
    if let incident::Head::IncidentOpened { drill: was, .. } = &mut opened.head {
        *was = Some(drill.parse().unwrap());
    }
    let turned =
        incident::Head::TurnedReal { incident: incident_id(), number: live.parse().unwrap() };
    let entries = of_incident(vec![(0, opened), (1, incident::Event::new(turned, actor("ben")))]);
    let mine: Organisation = "Stadt Hagen".parse().unwrap();
    let part = Scope { organisations: Some([mine].into()), ..Scope::ALL };
    for lang in [Lang::De, Lang::En] {
        let told = |scope| everything(&timeline(&entries, &BTreeMap::new(), scope, lang), None);
        let (all, theirs) = (told(&Scope::ALL), told(&part));
        for number in [drill, live] {
            assert!(all.contains(number), "{number}: {all}");
            assert!(!theirs.contains(number), "{number}: {theirs}");
        }
        // That it happened is no secret.
        let lines = timeline(&entries, &BTreeMap::new(), &part, lang);
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        let expected = match lang {
            Lang::De => [
                "Vorfall SIT-2026-0007 eröffnet von anna, Schwere 3, TLP:AMBER, aus einer Übung",
                "Ab hier ist es ernst, eröffnet von ben",
            ],
            Lang::En => [
                "Incident SIT-2026-0007 opened by anna, severity 3, TLP:AMBER, from a drill",
                "From here on it is real, opened by ben",
            ],
        };
        assert_eq!(texts, expected);
    }
}
