//! What is marked as sensitive, and what is made from it, is nowhere.

use super::*;
use crate::model::NeedId;
use crate::run::{AnswerKind, AttemptEnd, NeedKind};

const CANARY: &str = "hunter2-canary";

const TEXT: &str = r#"playbook: secret
language: 1
title: Secrets
inputs:
  word: { type: string, sensitive: true }
  open: { type: string }
steps:
  - id: ask
    title: Ask
    task:
      role: responder
      instructions: Ask
      form: { pin: { type: string, sensitive: true }, seen: { type: string } }
  - id: say
    title: Say
    note: "${inputs.word}"
  - id: plain
    title: Plain
    note: "${steps.ask.output.seen}"
  - id: made
    script: inputs.word
  - id: told
    title: Told
    note: "${steps.made.output}"
  - id: each
    for_each: steps.made.output
    as: part
    steps:
      - id: cut
        call: network.isolate
        with: { host: "${part}" }
"#;

fn need() -> NeedId {
    NeedId::new(1, &[1; 10])
}

fn entries(plan: &Plan) -> Vec<Recorded> {
    let noted = |at: &str, text: &str| Event::new(Head::Noted { path: path(at) }).text(text);
    let mut task = Event::new(Head::NeedOpened {
        id: need(),
        kind: NeedKind::Task,
        path: Some(path("ask")),
        role: crate::model::Role::Responder,
        votes: 0,
        digest: Digest::ZERO,
        group: "g".to_owned(),
        until: None,
    });
    let form = json!({"type": "object", "properties":
        {"pin": {"type": "string", "sensitive": true}, "seen": {"type": "string"}}});
    task.body.form = Some(Arc::new(form));
    let answer = Head::NeedAnswered {
        need: need(),
        answer: AnswerKind::Done,
        by: actor("ben"),
        done_at: None,
    };
    let answered = Event::new(answer)
        .value(json!({"pin": "0815", "seen": "smoke"}))
        .text("I typed 0815 twice");
    let failed = Head::AttemptEnded {
        path: path("each[0]/cut"),
        end: AttemptEnd::Failed,
        error: Some(crate::model::ErrorKind::Refused),
        reached: None,
    };
    recorded(
        1,
        vec![(
            0,
            vec![
                opened(plan, 1, &json!({"word": CANARY, "open": format!("see {CANARY}")})),
                task,
                answered,
                noted("say", "ab"),
                noted("plain", "smoke"),
                noted("told", "it is ab"),
                Event::new(Head::ListFixed { path: path("each"), count: 1 }).value(json!(["ab"])),
                attempt("each[0]/cut", &host("ab", None), 1),
                Event::new(failed).text("ab is unknown"),
            ],
        )],
    )
}

#[test]
fn what_is_sensitive_and_what_is_made_from_it_is_nowhere() {
    let plan = plan(TEXT);
    for lang in [Lang::De, Lang::En] {
        let lines = timeline(&entries(&plan), &plans(&[&plan]), &Scope::ALL, lang);
        let all = everything(&lines, None);
        for canary in [CANARY, "0815"] {
            assert!(!all.contains(canary), "{canary}");
        }
        // Too short to be blotted out, but seen to be made from the word.
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert!(
            !texts.iter().any(|text| text.contains(" ab") || text.contains("[ab")),
            "{texts:#?}"
        );
        assert!(!lines.iter().any(|line| line.item.as_deref() == Some("ab")));
        // What is not sensitive is still told.
        assert!(texts.contains(&"smoke"));
        let answer = lines.iter().find(|line| line.kind == "need-answered").unwrap();
        assert_eq!(answer.value, Some(json!({"pin": "•••", "seen": "smoke"})));
    }
}

#[test]
fn paper_forgets_nothing_but_what_is_sensitive() {
    let plan = plan(TEXT);
    let inputs = json!({"word": CANARY, "open": format!("see {CANARY} at the gate")});
    let run = crate::run::RunState::open(&opened(&plan, 1, &inputs), START).unwrap();
    let paper = checklist(&plan, &Catalogue::first(), Some(&run), Lang::En);
    assert!(!paper.contains(CANARY));
    assert!(paper.contains("(`open`): \"see ••• at the gate\""), "{paper}");
    assert!(paper.contains("- [ ] **Ask**"));
}

#[test]
fn a_run_without_its_plan_tells_no_texts_and_no_values() {
    let plan = plan(TEXT);
    let lines = timeline(&entries(&plan), &BTreeMap::new(), &Scope::ALL, Lang::En);
    let all = everything(&lines, None);
    for canary in [CANARY, "smoke", "[ab"] {
        assert!(!all.contains(canary), "{canary}");
    }
    assert!(lines.iter().all(|line| line.value.is_none()));
}
