//! The mail that calls somebody: it says what waits and how to answer, and nothing else.

use super::*;
use crate::model::{NeedId, Role, Tlp};
use crate::on_call::CallOutStep;
use crate::run::NeedKind;

fn called_to(number: u8, kind: NeedKind) -> CalledTo {
    CalledTo {
        id: NeedId::new(1, &[number; 10]),
        kind,
        title: "Cut off\r\nBcc: evil@example.net\u{202e} pc-17".to_owned(),
        digest: Some(Digest::from_bytes([number; 32])),
        since: START,
        until: Some(START.plus(crate::model::Span::from_secs(900))),
    }
}

fn mail(needs: Vec<CalledTo>) -> CallOutMail {
    CallOutMail {
        number: "SIT-2026-0007".to_owned(),
        mode: Mode::Live,
        tlp: Tlp::Amber,
        person: "ben".parse().unwrap(),
        role: Role::Commander,
        step: CallOutStep::Opened,
        needs,
        telephone: Some("+49 2761 12345".to_owned()),
    }
}

#[test]
fn it_says_what_waits_until_when_and_how_to_answer_by_telephone() {
    for (lang, role) in [(Lang::De, "Einsatzleitung"), (Lang::En, "commander")] {
        let need = called_to(7, NeedKind::Approval);
        let spoken = need.digest.unwrap().spoken();
        let code = crate::model::NeedCode::of(need.id, need.digest).to_string();
        let id = need.id.to_string();
        let mail = mail(vec![need]);
        let (subject, text) = (mail.subject(lang), mail.text(lang, Zone::Berlin));
        assert!(subject.contains("SIT-2026-0007") && subject.contains(role), "{subject}");
        for part in [role, &spoken, &code, &id, "+49 2761 12345", "SIT-2026-0007"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.matches("2026-11-21").count(), 2, "since and until: {text}");
    }
}

#[test]
fn a_title_begins_no_line_and_steers_nothing() {
    let mail = mail(vec![called_to(1, NeedKind::Task)]);
    for lang in [Lang::De, Lang::En] {
        let text = mail.text(lang, Zone::Utc);
        assert!(!text.contains('\r') && !text.contains('\u{202e}'), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
        assert!(!mail.subject(lang).contains(char::is_control));
    }
}

#[test]
fn of_an_incident_for_few_eyes_it_has_no_title_and_a_long_list_is_counted() {
    let needs: Vec<CalledTo> = (0..23).map(|number| called_to(number, NeedKind::Task)).collect();
    let few = CallOutMail { tlp: Tlp::Red, ..mail(needs) };
    let text = few.text(Lang::En, Zone::Utc);
    assert!(!text.contains("pc-17"), "{text}");
    assert_eq!(text.matches("\n- task").count(), 20);
    assert!(text.contains("and more that waits: 3"), "{text}");
    assert!(few.subject(Lang::En).contains("23× task"), "{}", few.subject(Lang::En));
}

#[test]
fn what_is_escalated_and_what_is_a_drill_say_so() {
    let needs = vec![called_to(1, NeedKind::Task), called_to(2, NeedKind::Approval)];
    let drill = CallOutMail { mode: Mode::Drill, step: CallOutStep::Escalated, ..mail(needs) };
    assert!(drill.subject(Lang::De).contains("2× offene Punkte, eskaliert an Einsatzleitung"));
    assert!(drill.subject(Lang::En).contains("2× things, escalated to the commander"));
    assert!(drill.text(Lang::De, Zone::Berlin).contains("Dies ist eine Übung."));
    assert!(drill.text(Lang::En, Zone::Berlin).contains("This is a drill."));
}
