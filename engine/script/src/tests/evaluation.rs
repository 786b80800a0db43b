//! What expressions and scripts give: the language's functions, strictness, errors with places.

use beistand_core::playbook::{EvalError, Expressions, ScriptKind};
use serde_json::{Value, json};

use super::{nothing, scripts, values};

fn expression(text: &str, input: Value) -> Result<Value, EvalError> {
    scripts().evaluate(text, ScriptKind::Expression, &values(input))
}

fn script(text: &str, input: Value) -> Result<Value, EvalError> {
    scripts().evaluate(text, ScriptKind::Script, &values(input))
}

#[track_caller]
fn gives(text: &str, wanted: &Value) {
    assert_eq!(expression(text, json!({})).as_ref(), Ok(wanted), "{text}");
}

#[track_caller]
fn fails(text: &str, words: &str) {
    let error = script(text, json!({})).expect_err(text);
    assert!(error.message.contains(words), "{text}: {}", error.message);
}

#[test]
fn the_functions_of_the_language_give_what_their_names_say() {
    for (text, wanted) in [
        (r#"plus("2026-11-21T03:00:00+01:00", "4h")"#, json!("2026-11-21T06:00:00.000Z")),
        (r#"minus("2026-11-21T03:00:00Z", "1d30m")"#, json!("2026-11-20T02:30:00.000Z")),
        (r#"between("2026-11-21T03:00:00Z", "2026-11-21T05:30:00Z")"#, json!("2h30m")),
        (r#"between("2026-11-21T05:30:00Z", "2026-11-21T03:00:00Z")"#, json!("2h30m")),
        (r#"before("2026-11-21T03:00:00+01:00", "2026-11-21T03:00:00Z")"#, json!(true)),
        (r#"before("2026-11-21T03:00:00Z", "2026-11-21T03:00:00Z")"#, json!(false)),
        (r#"local("2026-11-21T02:11:04Z")"#, json!("2026-11-21 03:11 CET")),
        (r#"local("2026-07-01T22:30:00Z")"#, json!("2026-07-02 00:30 CEST")),
        (r#"join(["a", 1, 2.5, true], ", ")"#, json!("a, 1, 2.5, true")),
        (r#"["a", "b"].join("-")"#, json!("a-b")),
        (r#"join([], ", ")"#, json!("")),
        (r#"json(#{ b: [1, ()], a: "ä" })"#, json!(r#"{"a":"ä","b":[1,null]}"#)),
        (r#"parse_json("{\"a\": [1, null, \"x\"]}")"#, json!({ "a": [1, null, "x"] })),
        (
            r#"sha256("abc")"#,
            json!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ),
        (r#"in_cidr("192.0.2.77", "192.0.2.0/24")"#, json!(true)),
        (r#"in_cidr("192.0.3.1", "192.0.2.0/24")"#, json!(false)),
        (r#"in_cidr("::ffff:192.0.2.77", "192.0.2.0/24")"#, json!(true)),
        (r#"in_cidr("2001:db8::1", "192.0.2.0/24")"#, json!(false)),
        (r#"in_cidr("192.0.2.1", "192.0.2.1")"#, json!(true)),
    ] {
        gives(text, &wanted);
    }
}

#[test]
fn the_functions_refuse_what_they_can_not_read() {
    for (text, words) in [
        (r#"plus("yesterday", "4h")"#, "`yesterday` is no time"),
        (r#"plus("2026-11-21T03:00:00", "4h")"#, "is no time"),
        (r#"plus("2026-11-21T03:00:00Z", "4 hours")"#, "`4 hours` is no duration"),
        (r#"join([1, ()], ",")"#, "item 1 of the list to join is null"),
        (r#"join([[1]], ",")"#, "item 0 of the list to join is a list"),
        (r#"parse_json("{")"#, "this is no JSON"),
        (r#"parse_json("9007199254740993")"#, "no exact form"),
        (r#"in_cidr("pc-1", "192.0.2.0/24")"#, "`pc-1` is no address"),
        (r#"in_cidr("192.0.2.1", "192.0.2.0/33")"#, "is no range"),
        ("json(|x| x)", "a function"),
    ] {
        fails(text, words);
    }
}

#[test]
fn the_assets_of_an_incident_are_filtered_by_kind_and_state() {
    let asset = |kind: &str, value: &str, state: &str| json!({ "kind": kind, "value": value, "organisation": null, "state": state });
    let input = json!({ "incident": { "assets": [
        asset("host", "pc-1", "affected"),
        asset("host", "pc-2", "suspected"),
        asset("account", "anna", "affected"),
    ]}});
    let text = r#"incident.assets("host", "affected").map(|asset| asset.value)"#;
    assert_eq!(expression(text, input), Ok(json!(["pc-1"])));
    let error = expression(r#"incident.assets("host", "affected")"#, json!({ "incident": {} }));
    assert!(error.unwrap_err().message.contains("only `incident` has assets"));
}

#[test]
fn rhai_is_there() {
    for (text, wanted) in [
        ("1 + 2 * 3", json!(7)),
        ("7 / 2", json!(3)),
        ("7.0 / 2", json!(3.5)),
        ("1 == 1.0", json!(true)),
        ("2 > 1.5 && !false", json!(true)),
        (r#""a" + 1 + 'b'"#, json!("a1b")),
        (r#""b" > "a""#, json!(true)),
        (r#""größe".sub_string(2, 2)"#, json!("öß")),
        (r#""größe".sub_string(-2)"#, json!("ße")),
        (r#""abc".sub_string(1..2)"#, json!("b")),
        (r#""abc".sub_string(0..=1)"#, json!("ab")),
        (r#""abc".sub_string(7)"#, json!("")),
        ("[1] + [2]", json!([1, 2])),
        ("`${1 + 1} hosts`", json!("2 hosts")),
        (r#""x" in ["x", 1]"#, json!(true)),
        ("3 in [1, 2]", json!(false)),
        ("[3, 1, 2].order(|a, b| a - b)", json!([1, 2, 3])),
        ("[3, 1, 2].order()", json!([1, 2, 3])),
        ("[1, 2, 3].filter(|n| n > 1).map(|n| n * 2)", json!([4, 6])),
        ("[1, 2, 3].reduce(|sum, n| sum + n, 0)", json!(6)),
        (r#""a,b".split(",")"#, json!(["a", "b"])),
        (r#"" a ".trim()"#, json!("a")),
        (r#""aXbX".replace("X", "")"#, json!("ab")),
        ("if 1 > 2 { 3 } else { 4 }", json!(4)),
        ("()", json!(null)),
        ("[1, [2]] == [1, [2.0]]", json!(true)),
        ("#{ a: 1 } != #{ a: 2 }", json!(true)),
        ("[1] == ()", json!(false)),
        (r#"switch 2 { 1 => "one", 2 => "two", _ => "many" }"#, json!("two")),
        ("max(1, 2) + min(3, 4)", json!(5)),
    ] {
        gives(text, &wanted);
    }
    let text = "let left = []; for host in hosts { if host != \"pc-1\" { left.push(host); } } left";
    assert_eq!(script(text, json!({ "hosts": ["pc-1", "pc-2"] })), Ok(json!(["pc-2"])));
    let text =
        "let s = \"ab\"; s.pad(5, \"xy\"); let t = \"\"; for c in s { t += c; } [s.pop(2), s, t]";
    assert_eq!(script(text, json!({})), Ok(json!(["yx", "abx", "abxyx"])));
    let text = "fn twice(n) { n * 2 } let f = |n| twice(n) + 1; f.call(20)";
    assert_eq!(script(text, json!({})), Ok(json!(41)));
}

#[test]
fn null_ends_an_optional_chain_and_yields_to_another_value() {
    let input = || json!({ "steps": { "a": { "output": null, "counts": { "failed": 2 } } } });
    for (text, wanted) in [
        ("steps.a.output?.host.name", json!(null)),
        ("steps.a.output?.host ?? \"none\"", json!("none")),
        ("steps.a.counts?.failed ?? 0", json!(2)),
        ("steps.a.output == ()", json!(true)),
    ] {
        assert_eq!(expression(text, input()), Ok(wanted), "{text}");
    }
    let error = expression("steps.a.output.host", input()).unwrap_err();
    assert_eq!((error.message.as_str(), error.at), ("null has no part `host`", Some((1, 16))));
}

#[test]
fn a_part_that_is_not_there_is_an_error_wherever_the_object_comes_from() {
    let input = || json!({ "incident": { "severity": 3 }, "list": [{ "a": 1 }] });
    for text in [
        "incident.severty > 2",
        "incident?.severty",
        "incident[\"severty\"]",
        "list[0].severty",
        "list.filter(|item| item.severty == 1)",
        "list.map(|item| item.severty)",
        "#{ a: 1 }.severty",
        "parse_json(\"{}\").severty",
        "list.find(|item| item.a == 1).severty",
        "[incident].map(|i| i.severty)",
        "list.filter(|item| incident.severty == 1)",
    ] {
        let error = expression(text, input()).expect_err(text);
        assert!(error.message.contains("`severty`"), "{text}: {}", error.message);
    }
    for text in [
        "for item in list { if item.severty == 1 { return 1 } }",
        "let copy = incident; copy.severty",
        "fn f(x) { x.severty } f(incident)",
        "let copy = incident; let f = || copy.severty; f.call()",
        "let copy = incident; copy[\"severty\"]",
    ] {
        let error = script(text, input()).expect_err(text);
        assert!(error.message.contains("`severty`"), "{text}: {}", error.message);
    }
}

#[test]
fn what_can_not_be_compared_is_an_error_and_not_false() {
    for (text, words) in [
        ("1 == \"1\"", "a whole number can not be compared with a text"),
        ("\"true\" != true", "a text can not be compared with a boolean"),
        ("[1] == 1", "a list can not be compared with a whole number"),
        ("() > 1", "null can not be compared"),
        ("\"3\" >= 3", "can not be compared"),
        ("[1] < [2]", "a list has no order"),
        ("1 && true", "boolean"),
        ("if 1 { 2 }", "boolean"),
    ] {
        fails(text, words);
    }
}

#[test]
fn null_lists_and_objects_never_become_text_by_themselves() {
    for (text, words) in [
        ("`${[1]}`", "`join()` or `json()`"),
        ("`${#{}}`", "`join()` or `json()`"),
        ("`${()}`", "null is no text"),
        ("\"a\" + [1]", "`join()` or `json()`"),
        ("[1] + \"a\"", "`join()` or `json()`"),
        ("\"a\" + ()", "null is no text"),
        ("let s = \"a\"; s += #{}; s", "`join()` or `json()`"),
        ("[1].to_string()", "`join()` or `json()`"),
        ("try { `${[1]}` } catch { 1 }", "`join()` or `json()`"),
    ] {
        fails(text, words);
    }
}

#[test]
fn an_error_has_the_place_of_its_cause() {
    let error = script("let a = [1];\nlet b = 1;\n  \"ä\" + a[7] + b", json!({})).unwrap_err();
    assert_eq!(error.message, "the list has 1 items, there is none at 7");
    assert_eq!(error.at, Some((3, 11)));
    let error = script("let a = 1;\nfn f(x) {\n  throw `no ${x}`\n}\nf(a)", json!({})).unwrap_err();
    assert_eq!((error.message.as_str(), error.at), ("no 1", Some((3, 3))));
    let error = expression("1 +", json!({})).unwrap_err();
    assert_eq!(error.at.map(|at| at.0), Some(1));
}

#[test]
fn an_evaluation_starts_afresh_and_changes_nothing_outside() {
    let scripts = scripts();
    let input = values(json!({ "hosts": ["b", "a"] }));
    let text = "hosts.sort(); hosts.push(\"c\"); hosts";
    for _ in 0..2 {
        let given = scripts.evaluate(text, ScriptKind::Script, &input);
        assert_eq!(given, Ok(json!(["a", "b", "c"])));
    }
    assert!(scripts.evaluate("x", ScriptKind::Expression, &nothing()).is_err());
    scripts.evaluate("let x = 1; x", ScriptKind::Script, &nothing()).unwrap();
    assert!(scripts.evaluate("x", ScriptKind::Script, &nothing()).is_err());
}

#[test]
fn twenty_thousand_hosts_can_be_used() {
    let hosts: Vec<String> = (0..20_000).map(|n| format!("pc-{n:05}.rathaus.example")).collect();
    let input = values(json!({ "inputs": { "hosts": hosts } }));
    let scripts = scripts();
    let expression = |text| scripts.evaluate(text, ScriptKind::Expression, &input);
    assert_eq!(expression("inputs.hosts.len()"), Ok(json!(20_000)));
    assert_eq!(expression("inputs.hosts.contains(\"pc-19999.rathaus.example\")"), Ok(json!(true)));
    assert_eq!(expression("inputs.hosts[19999]"), Ok(json!("pc-19999.rathaus.example")));
    let text = "inputs.hosts.filter(|host| host.starts_with(\"pc-0\")).len()";
    assert_eq!(scripts.evaluate(text, ScriptKind::Script, &input), Ok(json!(10_000)));
    let text = "let all = []; for host in inputs.hosts { all.push(host); } all.len()";
    assert_eq!(scripts.evaluate(text, ScriptKind::Script, &input), Ok(json!(20_000)));
}

#[test]
fn what_a_script_can_not_give_is_refused() {
    for (text, words) in [
        ("'x'", "single character"),
        ("|x| x", "a function"),
        ("[1, |x| x]", "a function"),
        ("9007199254740993", "no exact form"),
        ("0.0 / 0.0", "no number that JSON can hold"),
        ("1..3", "no value that a step can give"),
    ] {
        fails(text, words);
    }
    let captured = script("let x = [1]; let f = || x; x", json!({}));
    assert_eq!(captured, Ok(json!([1])));
}

#[test]
fn a_list_can_be_read_while_it_is_gone_through() {
    let input = || json!({ "inputs": { "hosts": ["a", "b"], "most": 1 } });
    for (text, wanted) in [
        ("inputs.hosts.filter(|host| inputs.hosts.len() > inputs.most)", json!(["a", "b"])),
        (
            "inputs.hosts.map(|host| inputs.hosts.filter(|other| other != host))",
            json!([["b"], ["a"]]),
        ),
        ("inputs.hosts.order(|a, b| if inputs.most > 1 { 1 } else { -1 })", json!(["a", "b"])),
    ] {
        assert_eq!(expression(text, input()), Ok(wanted), "{text}");
    }
    let nested = "inputs.hosts.map(|a| inputs.hosts.map(|b| inputs.hosts.filter(|c| \
                  inputs.hosts.contains(c) && c != a).len()))";
    assert_eq!(expression(nested, input()), Ok(json!([[1, 1], [1, 1]])));
    let script_text = "let most = inputs.most; let all = [];\n\
        for a in inputs.hosts { all += inputs.hosts.filter(|b| b != a && inputs.most == most); }\n\
        let f = || inputs.hosts.len(); let inner = all.len(); inner + f.call()";
    assert_eq!(script(script_text, input()), Ok(json!(4)));
    let text = "let hosts = inputs.hosts; let f = |hosts| hosts.len() + inputs.most; f.call(hosts)";
    assert_eq!(script(text, input()), Ok(json!(3)));
    let error = expression("inputs.hosts.map(|h| inputz.x)", input()).unwrap_err();
    assert_eq!((error.message.as_str(), error.at), ("`inputz` is not in scope", Some((1, 22))));
}

#[test]
fn a_variable_in_use_is_an_error_and_never_a_deadlock() {
    for text in [
        "let list = [1, 2]; list.for_each(|n| list.push(n)); list",
        "let list = [1, 2]; list.filter(|n| list.len() > 1)",
        "let list = [1, 2]; list.sort(|a, b| list[0] - list[1]); list",
        "let m = #{ a: [1] }; m.a.map(|x| m.a.len())",
        "let m = #{ a: [1] }; m.a.map(|x| { m.a = 3; 1 })",
        "let f = || 1; f = || f.call(); f.call()",
    ] {
        fails(text, "copy it first");
    }
    let text = "let n = 1; let f = |x| { n += x; n }; n += f.call(2); n";
    assert_eq!(script(text, json!({})), Ok(json!(6)));
    let text = "let list = [1, 2]; for n in list { let f = || list.push(n); f.call(); } list";
    assert_eq!(script(text, json!({})), Ok(json!([1, 2, 1, 2])));
}
