//! The mail that calls somebody: it says what waits and how to answer, and nothing else.

use super::*;
use crate::model::{NeedId, Role, Tlp};
use crate::on_call::CallOutStep;
use crate::run::NeedKind;

fn called_to(number: u8, kind: NeedKind) -> CalledTo {
    CalledTo {
        id: NeedId::new(1, &[number; 10]),
        kind,
        step: Some("contain/cut".parse().unwrap()),
        title: "Cut off\r\nBcc: evil@example.net\u{202e} pc-17".to_owned(),
        digest: Some(Digest::from_bytes([number; 32])),
        since: START,
        until: Some(START.plus(crate::model::Span::from_secs(900))),
    }
}

fn part(needs: Vec<CalledTo>) -> CallOutPart {
    CallOutPart {
        number: "SIT-2026-0007".to_owned(),
        tlp: Tlp::Amber,
        role: Role::Commander,
        step: CallOutStep::Opened,
        needs,
    }
}

fn of(parts: Vec<CallOutPart>) -> CallOutMail {
    CallOutMail {
        mode: Mode::Live,
        person: "ben".parse().unwrap(),
        parts,
        telephone: Some("+49 2761 12345".to_owned()),
    }
}

fn mail(needs: Vec<CalledTo>) -> CallOutMail {
    of(vec![part(needs)])
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
fn who_is_called_to_take_something_back_reads_that_it_is_to_be_taken_back() {
    let said = |kind, step: Option<&str>, lang| {
        let step = step.map(|step| step.parse().unwrap());
        mail(vec![CalledTo { step, ..called_to(1, kind) }]).text(lang, Zone::Utc)
    };
    let (gate, task) = (NeedKind::Approval, NeedKind::Task);
    for (kind, step, undone) in [
        (gate, None, true),
        (gate, Some("contain[1]/cut/undo"), true),
        (task, Some("contain[1]/cut/undo"), true),
        (gate, Some("contain[1]/cut"), false),
        (NeedKind::Decision, None, false),
    ] {
        for (lang, word) in [(Lang::De, "Rücknahme: Cut off"), (Lang::En, "take back: Cut off")] {
            let text = said(kind, step, lang);
            assert_eq!(text.contains(word), undone, "{kind} {step:?}: {text}");
        }
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
    let few = of(vec![CallOutPart { tlp: Tlp::Red, ..part(needs) }]);
    let text = few.text(Lang::En, Zone::Utc);
    assert!(!text.contains("pc-17"), "{text}");
    assert_eq!(text.matches("\n- task").count(), 20);
    assert!(text.contains("and more that waits: 3"), "{text}");
    assert!(few.subject(Lang::En).contains("23× task"), "{}", few.subject(Lang::En));
}

#[test]
fn what_is_escalated_and_what_is_a_drill_say_so() {
    let needs = vec![called_to(1, NeedKind::Task), called_to(2, NeedKind::Approval)];
    let part = CallOutPart { step: CallOutStep::Escalated, ..part(needs) };
    let drill = CallOutMail { mode: Mode::Drill, ..of(vec![part]) };
    assert!(drill.subject(Lang::De).contains("2× offene Punkte, eskaliert an Einsatzleitung"));
    assert!(drill.subject(Lang::En).contains("2× things, escalated to the commander"));
    assert!(drill.text(Lang::De, Zone::Berlin).contains("Dies ist eine Übung."));
    assert!(drill.text(Lang::En, Zone::Berlin).contains("This is a drill."));
}

#[test]
fn one_mail_says_what_waits_in_several_incidents() {
    let other = CallOutPart {
        number: "SIT-2026-0009".to_owned(),
        tlp: Tlp::Red,
        role: Role::Deputy,
        step: CallOutStep::Escalated,
        needs: vec![called_to(1, NeedKind::Task), called_to(2, NeedKind::Task)],
    };
    let own = part(vec![called_to(2, NeedKind::Task), called_to(3, NeedKind::Task)]);
    let mail = of(vec![other, own]);
    let subject = mail.subject(Lang::En);
    assert_eq!(subject, "SIT-2026-0009, SIT-2026-0007: 3× task, some of it escalated");
    let text = mail.text(Lang::De, Zone::Berlin);
    assert!(text.starts_with("Bereitschaft: ben als Einsatzleitung, "), "{text}");
    let places = ["SIT-2026-0009: eskaliert an ", "SIT-2026-0007: wartet auf Einsatzleitung"];
    let places = places.map(|place| text.find(place).unwrap());
    assert!(places[0] < places[1], "{text}");
    assert_eq!(text.matches("\n- ").count(), 3, "each once: {text}");
    assert_eq!(text.matches("pc-17").count(), 1, "of the one for few eyes no title: {text}");
    assert!(text.contains("beistand needs\n"), "{text}");
    let many: Vec<CallOutPart> = (0..30)
        .map(|number| CallOutPart {
            number: format!("SIT-2026-{number:04}"),
            ..part(vec![called_to(number, NeedKind::Task)])
        })
        .collect();
    let mail = of(many);
    let numbers =
        "SIT-2026-0000, SIT-2026-0001, SIT-2026-0002 +27: 30× task, waits for the commander";
    assert_eq!(mail.subject(Lang::En), numbers);
    let text = mail.text(Lang::En, Zone::Utc);
    assert_eq!(text.matches("\n- task").count(), 20);
    assert!(text.contains("and more that waits: 10"), "{text}");
}
