//! What stands where: called runs at their step, an undo from its wish to its end.

use std::collections::BTreeSet;

use super::story::{asks, done, ended, need};
use super::*;
use crate::access::{Changed, SEALED_LASTS};
use crate::incident::store;
use crate::model::{AccountName, Role};
use crate::run::{AttemptEnd, NeedKind, RunEnd};

#[test]
fn a_called_run_tells_the_items_of_its_caller_and_stands_at_its_step() {
    let parent = plan(
        "playbook: top\nlanguage: 1\nsteps:\n- id: each\n  for_each: inputs.list\n  steps:\n  - id: one\n    title: First\n    note: x\n  - id: call_it\n    title: Second\n    note: x\n- id: last\n  title: Last\n  note: x\ninputs: { list: { type: array } }\n",
    );
    let child =
        plan("playbook: sub\nlanguage: 1\nsteps:\n- id: inner\n  title: Inside\n  note: x\n");
    let mut called = opened(&child, 2, &json!({}));
    if let Head::RunOpened { parent, .. } = &mut called.head {
        *parent = Some(crate::run::Parent {
            run: run_id(1),
            path: path("each[0]/call_it"),
            root: run_id(1),
            generation: 0,
            restored: None,
            tree: None,
        });
    }
    let noted = |at: &str, text: &str| Event::new(Head::Noted { path: path(at) }).text(text);
    let child_opened = Head::ChildOpened {
        path: path("each[0]/call_it"),
        run: run_id(2),
        playbook: "sub".parse().unwrap(),
    };
    let list = Event::new(Head::ListFixed { path: path("each"), count: 1 }).value(json!(["pc-1"]));
    let mut entries = recorded(
        1,
        vec![(
            0,
            vec![
                opened(&parent, 1, &json!({"list": ["pc-1"]})),
                list,
                child_opened.into(),
                done("each[0]/call_it"),
                done("last"),
                noted("each[0]/one", "one"),
            ],
        )],
    );
    entries.extend(recorded(2, vec![(0, vec![called, done("each[0]/call_it/inner")])]));
    let lines = timeline(&entries, &plans(&[&parent, &child]), &Scope::ALL, Lang::En);
    insta::assert_snapshot!(golden(&lines), @r##"
+00:00 top: started by anna
+00:00 one
+00:00 Second [pc-1]: playbook sub called
+00:00 Inside [pc-1]: done
+00:00 Second [pc-1]: done
+00:00 Last: done
"##);
}

#[test]
fn what_a_step_takes_back_reads_asked_approved_done() {
    let plan = plan(
        "playbook: back\nlanguage: 1\ntitle: Back\nsteps:\n- id: cut\n  title: Cut\n  call: network.isolate\n  with: { host: pc-1 }\n- id: join_again\n  title: Join\n  undo: [cut]\n",
    );
    let mut gate = asks(1, NeedKind::Approval, "cut", Role::Commander, 1);
    if let Head::NeedOpened { path, .. } = &mut gate.head {
        *path = None;
    }
    let vote = Head::Voted { need: need(1), by: actor("carla") };
    let mut release = Event::new(Head::AttemptStarted(intent("cut/undo", "network.release", 1)));
    release.body.targets = vec![host("pc-1", None)];
    let back =
        Head::UndoEnded { path: path("cut"), undone: true, error: None, still_held_by: vec![] };
    let asked =
        Head::UndoRequested { by: None, step: Some(path("join_again")), paths: vec![path("cut")] };
    let events: Vec<Event> = vec![
        opened(&plan, 1, &json!({})),
        attempt("cut", &host("pc-1", None), 1),
        ended("cut", AttemptEnd::Succeeded, None),
        asked.into(),
        gate,
        vote.into(),
        Head::UndoStarted { path: path("cut") }.into(),
        release,
        ended("cut/undo", AttemptEnd::Succeeded, None),
        back.into(),
        Head::UndoFinished { complete: true }.into(),
        done("join_again"),
        Head::RunEnded { end: RunEnd::Succeeded }.into(),
    ];
    let lines = timeline(&recorded(1, vec![(0, events)]), &plans(&[&plan]), &Scope::ALL, Lang::En);
    insta::assert_snapshot!(golden(&lines), @r##"
+00:00 Back: started by anna
+00:00 Cut: host pc-1 was cut off through core-router, confirmed by a second look
+00:00 Back: Join wants one step taken back
+00:00 Back (undo): needs approval, role commander
+00:00 Back (undo): carla approves
+00:00 Cut (undo): host pc-1 was connected again through core-router, confirmed by a second look
+00:00 Cut: taken back
+00:00 Back: everything that was asked for was taken back
+00:00 Join: done
+00:00 Back: succeeded
"##);
}

#[test]
fn what_still_holds_when_an_incident_is_opened_is_part_of_it() {
    let hour = i64::try_from(SEALED_LASTS.millis()).unwrap();
    let opened_at = Millis::new(START.get() + 2 * hour);
    let account: AccountName = "sealed".parse().unwrap();
    let used = || store::Head::AccessChanged {
        change: Changed::BreakGlassUsed { account: account.clone() },
    };
    let heads = [
        (0, used()),
        (0, store::Head::Stopped),
        (1, store::Head::GoneOn),
        (hour, used()),
        (hour + 1, store::Head::Stopped),
        (2 * hour + 1, used()),
    ];
    let own = heads.into_iter().zip(1..).map(|((after, head), seq)| Recorded {
        stream: "store:1".to_owned(),
        seq,
        at: Millis::new(START.get() + after),
        id: None,
        events: Events::Store(vec![store::Event::new(head, None)]),
    });
    let kept = of_one_incident(own.collect(), &BTreeSet::new(), opened_at);
    let left = kept.iter().filter(|one| match &one.events {
        Events::Store(events) => !events.is_empty(),
        Events::Run(_) | Events::Incident(_) => true,
    });
    // Who opened with a sealed account a while before the incident acts in it with that.
    assert_eq!(left.map(|one| one.seq).collect::<Vec<_>>(), [4, 5, 6]);
}
