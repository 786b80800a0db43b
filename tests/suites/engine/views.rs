//! Reading a store through `Views`: what lists hold, and that parts of them fit together.

use super::TEN;
use super::world::{anna, engine, new_run};
use beistand_core::model::RunId;
use beistand_core::run::{Answer, AnswerKind, Command};
use beistand_core::timeline::{Filter, Lane, Lang, Scope, Zone};
use beistand_journal::{NeedFilter, RunFilter};
use beistand_runtime::{
    Clock as _, Engine, EngineError, FEED_ROWS_MAX, Listed, NewRun, Telling, ViewPage, Views,
    WallClock,
};
use beistand_script::Scripts;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const TELL: &str = "playbook: tell
language: 1
title: Tell
inputs: { what: { type: string } }
steps:
  - { id: tell, note: \"Seen: ${inputs.what}\" }
  - { id: stay, task: { role: responder, instructions: Look. } }
";

fn views(engine: &Engine) -> Views {
    Views::new(engine.journal().reader().clone(), Arc::new(Scripts::without_budget()))
}

fn telling() -> Telling {
    Telling { lang: Lang::En, zone: Zone::Utc, now: WallClock.now() }
}

/// All parts of a list, each no longer than `limit`.
async fn parts<F: Future<Output = Result<Listed, EngineError>>>(
    limit: u32,
    mut ask: impl FnMut(ViewPage) -> F,
) -> Vec<Value> {
    let mut page = ViewPage::first(limit);
    let mut all = Vec::new();
    loop {
        let listed = ask(page.clone()).await.unwrap();
        assert!(listed.items.len() <= limit as usize);
        all.extend(listed.items);
        let Some(next) = listed.next else { return all };
        page.cursor = Some(next);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_a_list_neither_repeat_nor_leave_out() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let mut launched: Vec<RunId> = Vec::new();
    for what in ["smoke", "fire", "smoke again"] {
        launched.push(engine.launch(new_run(TELL, json!({"what": what}))).await.unwrap());
    }
    engine.rest().await;
    let views = views(&engine);
    let runs = parts(2, |page| {
        let views = views.clone();
        async move { views.runs(&RunFilter::default(), &page, &Scope::ALL).await }
    })
    .await;
    launched.reverse();
    assert_eq!(
        runs.iter().map(|run| run["id"].clone()).collect::<Vec<_>>(),
        json!(launched).as_array().unwrap().clone()
    );
    for run in &runs {
        let id = run["id"].as_str().unwrap().parse().unwrap();
        let mut alone = views.run(id, &Scope::ALL).await.unwrap();
        alone.as_object_mut().unwrap().remove("steps").unwrap();
        assert_eq!(*run, alone, "a list shows what the run itself shows");
    }
    let incidents = parts(1, |page| {
        let views = views.clone();
        async move { views.incidents(&page, &Scope::ALL).await }
    })
    .await;
    assert_eq!(incidents.len(), 3);
    let wrong = ViewPage { cursor: Some("7".to_owned()), limit: 2 };
    let refused = views.runs(&RunFilter::default(), &wrong, &Scope::ALL).await;
    assert!(matches!(refused, Err(EngineError::Usage(_))));
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeline_is_read_in_parts_by_lane_time_and_text() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let first = engine.launch(new_run(TELL, json!({"what": "Smoke"}))).await.unwrap();
    engine.rest().await;
    let row = engine.journal().reader().run(first).await.unwrap().unwrap();
    let next = NewRun { incident: Some(row.incident), ..new_run(TEN, json!({})) };
    engine.launch(next).await.unwrap();
    engine.rest().await;
    let views = views(&engine);
    let told = views.told(row.incident, Lang::En, &Scope::ALL).await.unwrap();
    let whole = told.values(&telling()).unwrap();
    assert!(whole.len() > 20, "{whole:?}");
    let asked = |filter: Filter, limit| {
        let views = views.clone();
        async move {
            parts(limit, |page| {
                let (views, filter) = (views.clone(), filter.clone());
                async move {
                    let asked = (&filter, &page);
                    views.timeline(row.incident, asked, &telling(), &Scope::ALL).await
                }
            })
            .await
        }
    };
    for limit in [1, 3, 1_000] {
        assert_eq!(asked(Filter::default(), limit).await, whole, "in parts of {limit}");
    }
    let only = |keep: &dyn Fn(&Value) -> bool| {
        whole.iter().filter(|line| keep(line)).cloned().collect::<Vec<Value>>()
    };
    let lane = Filter { lane: Some(Lane::Decisions), ..Filter::default() };
    let decisions = only(&|line| line["lane"] == "decisions");
    assert!(!decisions.is_empty() && decisions.len() < whole.len());
    assert_eq!(asked(lane, 2).await, decisions);
    let text = Filter { text: Some("sMOKE".to_owned()), ..Filter::default() };
    let smoke = only(&|line| line["message"].as_str().unwrap().contains("Smoke"));
    assert!(!smoke.is_empty());
    assert_eq!(asked(text, 2).await, smoke);
    let middle = told.lines[whole.len() / 2].at;
    let from = Filter { from: Some(middle), ..Filter::default() };
    let to = Filter { to: Some(middle), ..Filter::default() };
    let (before, after) = (asked(to, 5).await, asked(from, 5).await);
    assert!(!after.is_empty());
    assert_eq!([before, after].concat(), whole, "an instant belongs to one side");
    engine.leave().await;
}

const CALLS: &str = "playbook: calls
language: 1
title: Calls another
steps:
  - { id: before, note: before }
  - { id: below, playbook: tell, with: { what: Smoke } }
  - { id: after, note: after }
";

/// Waits until a run, also one that calls another, is as somebody waits for it.
async fn until(engine: &Engine, run: RunId, is: impl Fn(&Value) -> bool) {
    for _ in 0..2_000 {
        if is(&views(engine).run(run, &Scope::ALL).await.unwrap()) {
            return;
        }
        engine.claim_due().await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never is");
}

fn asks(json: &Value) -> bool {
    json["needs"].as_array().is_some_and(|needs| needs.len() == 1)
}

fn is_over(json: &Value) -> bool {
    json["status"] == "succeeded"
}

fn calling() -> NewRun {
    let mut new = new_run(CALLS, json!({}));
    new.sources.extend(new_run(TELL, json!({})).sources);
    new
}

/// Answers the open need of a run.
async fn answer(engine: &Engine, run: RunId) {
    let views = views(engine);
    let filter = NeedFilter { run: Some(run), ..NeedFilter::default() };
    let need = views.needs(&filter, &Scope::ALL).await.unwrap().remove(0);
    let answers = vec![Answer {
        need: need["id"].as_str().unwrap().parse().unwrap(),
        answer: AnswerKind::Done,
        reason: String::new(),
        form: json!({}),
        digest: None,
        done_at: None,
    }];
    let asked = need["run"].as_str().unwrap().parse().unwrap();
    engine
        .command(asked, Command::Answer { answers, by: anna(), roles: None }, None)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_in_memory_reads_like_what_is_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let kept = views(&engine);
    let mut tags: Vec<String> = Vec::new();
    let mut runs: Vec<RunId> = Vec::new();
    for step in ["calls", "ten", "answered"] {
        let launched = match step {
            "calls" => Some(engine.launch(calling()).await.unwrap()),
            "ten" => Some(engine.launch(new_run(TEN, json!({}))).await.unwrap()),
            _ => None,
        };
        runs.extend(launched);
        // Read on its way: what follows is folded on from wherever it is by now.
        kept.run_bytes(*runs.last().unwrap(), &Scope::ALL).await.unwrap();
        match step {
            "calls" => until(&engine, runs[0], asks).await,
            "ten" => until(&engine, runs[1], is_over).await,
            _ => {
                answer(&engine, runs[0]).await;
                until(&engine, runs[0], is_over).await;
            }
        }
        for run in &runs {
            let read = kept.run_bytes(*run, &Scope::ALL).await.unwrap();
            let anew = views(&engine);
            let alone = anew.run_bytes(*run, &Scope::ALL).await.unwrap();
            assert_eq!(read, alone, "{step}");
            let json: Value = serde_json::from_slice(&read.bytes).unwrap();
            assert_eq!(json, anew.run(*run, &Scope::ALL).await.unwrap());
            assert_eq!(json, kept.run(*run, &Scope::ALL).await.unwrap());
            let again = kept.run_bytes(*run, &Scope::ALL).await.unwrap();
            assert!(Arc::ptr_eq(&read.bytes, &again.bytes), "from memory");
            tags.push(read.etag.to_string());
        }
    }
    // Three states of the run that calls, of which the second brought nothing; the tag of the run
    // alone is its head.
    let head = kept.run(runs[1], &Scope::ALL).await.unwrap()["head"].clone();
    assert_eq!(head.as_str().unwrap(), format!("sha256:{}", tags[4]));
    assert!(tags[0] == tags[1] && tags[1] != tags[3] && tags[2] == tags[4], "{tags:?}");
    let narrow = Scope { organisations: Some(["stadt-a".parse().unwrap()].into()), ..Scope::ALL };
    assert!(kept.run_bytes(runs[1], &narrow).await.is_err(), "its incident concerns nobody");
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_needs_of_a_called_run_change_the_run_that_calls() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let kept = views(&engine);
    let run = engine.launch(calling()).await.unwrap();
    until(&engine, run, asks).await;
    let waiting = kept.run_bytes(run, &Scope::ALL).await.unwrap();
    let json: Value = serde_json::from_slice(&waiting.bytes).unwrap();
    let (child, need) = (&json["children"][0], &json["needs"][0]);
    assert!(child.is_string() && need["run"] == *child, "{json}");
    // Something that changes the called run alone.
    let child: RunId = child.as_str().unwrap().parse().unwrap();
    let reason = "wait".to_owned();
    let pause = Command::Pause { by: anna(), reason, with_caller: false };
    engine.command(child, pause, None).await.unwrap();
    until(&engine, child, |json| json["status"] == "paused").await;
    let paused = kept.run_bytes(run, &Scope::ALL).await.unwrap();
    assert_ne!(paused.etag, waiting.etag);
    assert_eq!(paused, views(&engine).run_bytes(run, &Scope::ALL).await.unwrap());
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_follows_the_feed_is_told_of_every_entry_once() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder.path().join("a.db"), Vec::new()).await;
    let views = views(&engine);
    let all = Scope::ALL;
    let begin = views.feed(None, (None, 10), &all).await.unwrap();
    assert!(begin.items.is_empty() && !begin.more);
    let run = engine.launch(new_run(TEN, json!({}))).await.unwrap();
    engine.rest().await;
    let mut items = Vec::new();
    let mut after = begin.cursor;
    loop {
        let part = views.feed(None, (Some(after), 3), &all).await.unwrap();
        assert!(part.items.len() <= 3);
        items.extend(part.items);
        after = part.cursor;
        if !part.more {
            break;
        }
    }
    let whole = views.feed(None, (Some(begin.cursor), FEED_ROWS_MAX), &all).await.unwrap();
    assert_eq!(whole.items, items);
    let incident = items.iter().find(|item| item.stream == "incident").unwrap();
    assert_eq!(incident.kinds, ["incident-opened"]);
    let of_run: Vec<_> = items.iter().filter(|item| item.id == run.to_string()).cloned().collect();
    assert_eq!(
        of_run.iter().map(|item| item.seq).collect::<Vec<_>>(),
        (1..=11).collect::<Vec<_>>()
    );
    assert_eq!(of_run[0].kinds[0], "run-opened");
    assert_eq!(of_run[10].kinds.last(), Some(&"run-ended"));
    let own = views.feed(Some(run), (Some(begin.cursor), 100), &all).await.unwrap();
    assert_eq!(own.items, of_run);
    let idle = views.feed(Some(run), (Some(own.cursor), 100), &all).await.unwrap();
    assert_eq!((idle.items.len(), idle.cursor), (0, own.cursor));
    // A cursor of before a restore, which the store has not come to.
    let ahead = views.feed(None, (Some(i64::MAX), 10), &all).await.unwrap();
    assert_eq!(ahead.cursor, engine.journal().reader().feed_end().await.unwrap());
    engine.leave().await;
}
