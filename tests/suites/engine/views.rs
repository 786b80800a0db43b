//! Reading a store through `Views`: what lists hold, and that parts of them fit together.

use super::TEN;
use super::world::{engine, new_run};
use beistand_core::model::RunId;
use beistand_core::timeline::{Lane, Lang, Scope, Zone};
use beistand_journal::RunFilter;
use beistand_runtime::{
    Clock as _, Engine, EngineError, LineFilter, Listed, NewRun, Telling, ViewPage, Views,
    WallClock,
};
use beistand_script::Scripts;
use serde_json::{Value, json};
use std::sync::Arc;

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
    let asked = |filter: LineFilter, limit| {
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
        assert_eq!(asked(LineFilter::default(), limit).await, whole, "in parts of {limit}");
    }
    let only = |keep: &dyn Fn(&Value) -> bool| {
        whole.iter().filter(|line| keep(line)).cloned().collect::<Vec<Value>>()
    };
    let lane = LineFilter { lane: Some(Lane::Decisions), ..LineFilter::default() };
    let decisions = only(&|line| line["lane"] == "decisions");
    assert!(!decisions.is_empty() && decisions.len() < whole.len());
    assert_eq!(asked(lane, 2).await, decisions);
    let text = LineFilter { text: Some("sMOKE".to_owned()), ..LineFilter::default() };
    let smoke = only(&|line| line["message"].as_str().unwrap().contains("Smoke"));
    assert!(!smoke.is_empty());
    assert_eq!(asked(text, 2).await, smoke);
    let middle = told.lines[whole.len() / 2].at;
    let from = LineFilter { from: Some(middle), ..LineFilter::default() };
    let to = LineFilter { to: Some(middle), ..LineFilter::default() };
    let (before, after) = (asked(to, 5).await, asked(from, 5).await);
    assert!(!after.is_empty());
    assert_eq!([before, after].concat(), whole, "an instant belongs to one side");
    engine.leave().await;
}
