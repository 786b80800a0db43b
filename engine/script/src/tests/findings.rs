//! What `check` finds, and what it says of a good text: reads, type, bare.

use std::collections::BTreeMap;

use beistand_core::playbook::{
    Checked, Expressions, Fault, FaultCode, Field, Names, ScriptKind, Type,
};

use super::scripts;

fn object(fields: &[(&str, Field)]) -> Type {
    Type::Object(fields.iter().map(|(name, field)| ((*name).to_owned(), field.clone())).collect())
}

fn list(item: Type) -> Type {
    Type::Array(Box::new(item))
}

fn step(output: Type, skippable: Option<&str>) -> Field {
    let skippable = skippable.map(str::to_owned);
    let counts = object(&[
        ("total", Field::present(Type::Integer)),
        ("failed", Field::present(Type::Integer)),
    ]);
    Field::present(object(&[
        ("status", Field::present(Type::String)),
        ("output", Field { ty: output, nullable: skippable.is_some(), skippable }),
        ("counts", Field::nullable(counts)),
        ("error", Field::nullable(Type::Any)),
    ]))
}

/// A context as `check` of a playbook makes it.
fn names() -> Names {
    let p = Field::present;
    let asset = object(&[("kind", p(Type::String)), ("value", p(Type::String))]);
    let steps = object(&[
        ("triage", step(object(&[("attack", p(Type::Boolean)), ("note", p(Type::String))]), None)),
        (
            "ask",
            step(
                object(&[("sure", p(Type::Boolean)), ("hosts", p(list(Type::String)))]),
                Some("ask"),
            ),
        ),
        ("free", step(Type::Any, None)),
    ]);
    let variables = BTreeMap::from([
        (
            "inputs".to_owned(),
            p(object(&[
                ("hosts", p(list(Type::String))),
                ("count", p(Type::Integer)),
                ("contact", p(Type::String)),
                ("first_seen", Field::nullable(Type::String)),
                ("owner", Field::nullable(object(&[("name", p(Type::String))]))),
            ])),
        ),
        (
            "incident".to_owned(),
            p(object(&[
                ("title", p(Type::String)),
                ("severity", p(Type::Integer)),
                ("assets", p(list(asset))),
            ])),
        ),
        ("steps".to_owned(), p(steps)),
        ("now".to_owned(), p(Type::String)),
        ("host".to_owned(), p(Type::String)),
    ]);
    let absent =
        BTreeMap::from([("later".to_owned(), "step `later` comes after this one".to_owned())]);
    Names { variables, absent }
}

fn check(text: &str, kind: ScriptKind) -> Result<Checked, Vec<Fault>> {
    scripts().check(text, kind, &names())
}

/// The one fault of a text: its code, place, words.
#[track_caller]
fn fault(text: &str, kind: ScriptKind) -> Fault {
    let mut faults = check(text, kind).expect_err(text);
    assert_eq!(faults.len(), 1, "{text}: {faults:?}");
    faults.remove(0)
}

#[track_caller]
fn finds(text: &str, code: FaultCode, column: u32, words: &str) {
    let found = fault(text, ScriptKind::Expression);
    assert_eq!((found.code, found.line, found.column), (code, 1, column), "{text}: {found:?}");
    let said = format!("{} {}", found.message, found.hint.unwrap_or_default());
    assert!(said.contains(words), "{text}: {said}");
}

#[track_caller]
fn is_fine(text: &str, kind: ScriptKind) -> Checked {
    match check(text, kind) {
        Ok(checked) => checked,
        Err(faults) => panic!("{text}: {faults:#?}"),
    }
}

fn reads(text: &str, kind: ScriptKind) -> Vec<String> {
    is_fine(text, kind).reads.iter().map(|path| path.0.join(".")).collect()
}

#[test]
fn names_that_are_not_there_are_found_with_the_nearest_that_is() {
    use FaultCode::UnknownName;
    for (text, column, words) in [
        ("incidnet.severity > 2", 1, "did you mean `incident`?"),
        ("incident.severty > 2", 10, "`incident` has no part `severty` did you mean `severity`?"),
        ("1 + inputs.cuont", 12, "did you mean `count`?"),
        ("inputs[\"cuont\"]", 8, "did you mean `count`?"),
        ("steps.triage.output.atack", 21, "did you mean `attack`?"),
        ("steps.triag.output", 7, "did you mean `triage`?"),
        ("steps.later.output", 7, "step `later` comes after this one"),
        ("triage.output.attack", 1, "read as `steps.triage`"),
        ("inputs.hosts.filter(|h| h == hsot)", 30, "did you mean `host`?"),
        ("inputs.hosts.first", 14, "a list has no part `first`"),
        ("host.name", 6, "a text has no part `name`"),
        ("incident.assets.map(|a| a.valeu)", 27, "did you mean `value`?"),
        ("incident.assets(\"host\", \"affected\")[0].valeu", 40, "did you mean `value`?"),
        ("something_else", 1, "`something_else` is not in scope"),
    ] {
        finds(text, UnknownName, column, words);
    }
}

#[test]
fn functions_that_are_not_there_are_found() {
    use FaultCode::{Type as Wrong, UnknownFunction};
    for (text, code, column, words) in [
        ("plsu(now, \"4h\")", UnknownFunction, 1, "did you mean `plus`?"),
        ("host.to_uper()", UnknownFunction, 6, "did you mean `to_upper`?"),
        ("sleep(30.0)", UnknownFunction, 1, "there is no function `sleep`"),
        ("plus(now)", UnknownFunction, 1, "`plus` takes 2 values, not 1"),
        ("plus(now, 4)", Wrong, 1, "there is no `plus` for a text and a whole number"),
        ("sha256(inputs.hosts)", Wrong, 1, "there is no `sha256` for a list"),
        ("inputs.count.len()", Wrong, 14, "there is no `len` for a whole number"),
        ("host.assets(\"a\", \"b\")", Wrong, 6, "there is no `assets` for a text"),
    ] {
        finds(text, code, column, words);
    }
}

#[test]
fn types_that_never_fit_are_found() {
    for (text, column, words) in [
        ("host == true", 6, "a text never equals a boolean"),
        ("inputs.count != \"3\"", 14, "a whole number never equals a text"),
        ("host > 3", 6, "`>` does not work with a text and a whole number"),
        ("inputs.hosts > 3", 14, "`>` does not work with a list"),
        ("host - 1", 6, "`-` does not work"),
        ("host && true", 1, "true or false is wanted here, not a text"),
        ("!host", 2, "true or false is wanted here, not a text"),
        ("-host", 1, "a number is wanted"),
        ("if inputs.count { 1 } else { 2 }", 4, "not a whole number"),
        ("\"to \" + inputs.hosts", 7, "`+` does not work with a text and a list"),
        ("`to ${inputs.hosts}`", 7, "a list has no text of its own"),
        ("inputs.first_seen + \"x\"", 1, "this may be null"),
        ("inputs.owner.name", 14, "may be null"),
        ("steps.triage.counts.failed", 21, "write `?.`"),
        ("steps.triage.counts?.failed > 0", 1, "this may be null"),
        ("inputs.hosts[\"a\"]", 14, "a list has nothing at a text"),
        ("inputs.hosts.filter(|h| h > 3)", 27, "`>` does not work"),
    ] {
        finds(text, FaultCode::Type, column, words);
    }
}

#[test]
fn what_may_fit_is_no_fault() {
    for text in [
        "host == ()",
        "inputs.count == 3.0",
        "steps.free.output == 3",
        "steps.free.output.anything[0].below > \"x\"",
        "inputs.first_seen == \"x\"",
        "inputs.owner?.name == \"x\"",
        "inputs.owner != () && inputs.owner.name == \"x\"",
        "inputs.owner == () || inputs.owner.name == \"x\"",
        "if inputs.owner == () { \"\" } else { inputs.owner.name }",
        "(steps.triage.counts?.failed ?? 0) > 0",
        "host in inputs.hosts && !(host in [\"a\"])",
        "\"n: \" + inputs.count + \", \" + true",
        "inputs.hosts.map(|h| h.len()).filter(|n| n > 3)",
        "inputs.hosts.filter(|h| inputs.count > h.len())",
        "inputs.hosts.map(|h| h.len()).map(|n| n > 3).map(|b| !b)",
        "[1, 2] + [\"a\"]",
        "switch inputs.count { 1 => \"one\", _ => \"more\" }",
        "parse_json(host).whatever > 3",
        "incident.assets(\"host\", \"affected\").len() > 0",
        "inputs.hosts.reduce(|sum, h| sum + h.len(), 0)",
        "inputs.hosts.order(|a, b| a.len() - b.len())",
        "type_of(host) == \"string\"",
        "(0..3).contains(2)",
    ] {
        is_fine(text, ScriptKind::Expression);
    }
}

#[test]
fn the_output_of_a_step_that_may_be_skipped_wants_a_test() {
    for (text, column) in [
        ("steps.ask.output.sure", 18),
        ("steps.ask.output", 1),
        ("json(steps.ask.output)", 6),
        ("[steps.ask.output]", 2),
        ("steps.ask.output.sure && steps.ask.status == \"succeeded\"", 18),
        ("steps.triage.status == \"succeeded\" && steps.ask.output.sure", 56),
        ("steps.ask.status == \"skipped\" && steps.ask.output.sure", 51),
        ("steps.ask.status == \"succeeded\" || steps.ask.output.sure", 53),
        ("inputs.hosts.filter(|h| h in steps.ask.output.hosts)", 47),
        ("if steps.ask.status == \"succeeded\" { 1 } else { steps.ask.output.sure }", 66),
    ] {
        finds(text, FaultCode::Skippable, column, "step `ask` may have been skipped");
    }
    for text in [
        "steps.ask.output?.sure",
        "steps.ask.output?.sure ?? false",
        "steps.ask.output?.hosts?.len() ?? 0",
        "steps.ask.output ?? #{}",
        "steps.ask.output != ()",
        "steps.ask.output != () && steps.ask.output.sure",
        "steps.ask.status == \"succeeded\" && steps.ask.output.sure",
        "steps.ask.status != \"skipped\" && steps.ask.output.sure",
        "steps.ask.status == \"skipped\" || steps.ask.output.sure",
        "!(steps.ask.status == \"skipped\") && steps.ask.output.sure",
        "steps.ask.status in [\"succeeded\"] && steps.ask.output.sure",
        "if steps.ask.status == \"succeeded\" { steps.ask.output.sure } else { false }",
        "steps.ask.status == \"succeeded\" && inputs.hosts.all(|h| h in steps.ask.output.hosts)",
        "steps.ask.status == \"succeeded\" && (host == \"a\" || steps.ask.output.sure)",
        "switch steps.ask.status { \"succeeded\" => steps.ask.output.sure, _ => false }",
    ] {
        is_fine(text, ScriptKind::Expression);
    }
    for text in [
        "let done = steps.ask.status == \"succeeded\"; if done { steps.ask.output.sure } else { false }",
        "if steps.ask.status != \"succeeded\" { return []; } steps.ask.output.hosts",
        "if steps.ask.output == () { throw \"no answer\" } steps.ask.output.hosts",
    ] {
        is_fine(text, ScriptKind::Script);
    }
}

#[test]
fn scripts_have_scopes() {
    for (text, line, words) in [
        ("let a = 1;\nfor h in inputs.hosts { let b = h; }\nb", 3, "`b` is not in scope"),
        ("{ let a = 1; }\na", 2, "`a` is not in scope"),
        ("let f = |x| x + y;\nf.call(1)", 1, "`y` is not in scope"),
        ("fn f(x) {\n inputs.count + x\n}\nf(1)", 2, "`inputs` is not in scope inside of `f`"),
        ("fn f(x) { x }\nf(1, 2)", 2, "there is no function `f`"),
        ("let f = |x| x;\nf(1)", 2, "called as `f.call(…)`"),
        ("for n in inputs.count { }", 1, "`for` goes through a list"),
        ("inputs.count = 3;", 1, "`inputs` can not be changed"),
        ("let t = \"a\";\nt == 3", 2, "a text never equals a whole number"),
        ("for h in inputs.hosts {\n  h.size;\n}", 2, "a text has no part `size`"),
        ("while host { }", 1, "true or false is wanted here"),
        ("let list = [1];\nlist.filter(|n| list.len() > n)", 2, "can not be used inside"),
        ("let x = try { 1 } catch (e) { e2 };", 1, ""),
    ] {
        let faults = check(text, ScriptKind::Script).expect_err(text);
        let said: Vec<_> = faults.iter().map(|f| format!("{} {:?}", f.message, f.hint)).collect();
        assert_eq!(faults[0].line, line, "{text}: {said:?}");
        assert!(said[0].contains(words), "{text}: {said:?}");
    }
    for text in [
        "let left = []; for h in inputs.hosts { if h != host { left.push(h); } } left.len() > 2",
        "let found = (); for a in incident.assets { found = a; } found.value",
        "let m = #{}; m.x = 1; m[\"y\"] = 2; m.y",
        "let m = #{ a: 1 }; m.set(\"b\", 2); m.b",
        "let n = 0; for (h, i) in inputs.hosts { n += i; } n",
        "fn twice(n) { if n > 5 { n } else { twice(n * 2) } } twice(inputs.count)",
        "fn is_it() { this == 1 } let x = 1; x.is_it()",
        "let f = |h| h == host; inputs.hosts.filter(f)",
        "let x = 1; let f = |y| x + y; f.call(2)",
        "try { throw \"x\" } catch (error) { error }",
        "let i = 0; loop { i += 1; if i > 3 { break i; } }",
        "let copy = inputs; copy.count = 4; copy.count",
    ] {
        is_fine(text, ScriptKind::Script);
    }
}

#[test]
fn all_faults_are_found_at_once_and_in_order() {
    let text = "let a = incident.severty;\nlet b = plsu(now, \"1h\");\nhost > 3 && unknown";
    let faults = check(text, ScriptKind::Script).unwrap_err();
    let places: Vec<_> = faults.iter().map(|f| (f.line, f.column, f.code)).collect();
    assert_eq!(
        places,
        [
            (1, 18, FaultCode::UnknownName),
            (2, 9, FaultCode::UnknownFunction),
            (3, 6, FaultCode::Type),
            (3, 13, FaultCode::UnknownName),
        ]
    );
}

#[test]
fn what_is_no_rhai_or_not_allowed_is_said_with_its_place() {
    for (text, code, words) in [
        ("1 +", FaultCode::Syntax, ""),
        ("a b", FaultCode::Syntax, ""),
        ("let x = 1", FaultCode::Syntax, ""),
        ("eval(\"1\")", FaultCode::Limit, "`eval` is not part"),
        ("print(1)", FaultCode::Limit, "`print` is not part"),
        ("Fn(\"f\")", FaultCode::Limit, "write a closure"),
    ] {
        let found = fault(text, ScriptKind::Expression);
        assert_eq!(found.code, code, "{text}: {found:?}");
        let said = format!("{} {:?}", found.message, found.hint);
        assert!(said.contains(words), "{said}");
    }
    let found = fault("let a = 1;\n  const b = 2;", ScriptKind::Script);
    assert_eq!((found.code, found.line, found.column), (FaultCode::Limit, 2, 3));
    let long = fault(&" ".repeat(8 * 1024 + 1), ScriptKind::Expression);
    assert_eq!(long.code, FaultCode::Limit);
    is_fine(&("1 + 1;".to_owned() + &*" ".repeat(60_000)), ScriptKind::Script);
}

#[test]
fn only_what_is_read_is_said_to_be_read() {
    for (text, wanted) in [
        ("inputs.count > 3 && inputs.hosts.len() > 2", vec!["inputs.count", "inputs.hosts"]),
        ("inputs.hosts[0].len()", vec!["inputs.hosts"]),
        ("inputs.hosts.len", vec!["inputs.hosts"]),
        ("inputs.count + json(inputs).len()", vec!["inputs"]),
        ("steps.free.output.a.b + steps.free.output.a.b.c", vec!["steps.free.output.a.b"]),
        ("steps.free.output.list.len", vec!["steps.free.output.list"]),
        ("steps.ask.output?.sure ?? false", vec!["steps.ask.output.sure"]),
        ("incident.assets(\"host\", \"affected\").len()", vec!["incident.assets"]),
        ("inputs.hosts.filter(|h| h != inputs.contact)", vec!["inputs.contact", "inputs.hosts"]),
        (
            "inputs.hosts.map(|h| inputs.hosts.filter(|x| x == h && now > x).len())",
            vec!["inputs.hosts", "now"],
        ),
        ("inputs[\"count\"]", vec!["inputs"]),
        ("1 + 2", vec![]),
        ("`${host} at ${now}`", vec!["host", "now"]),
    ] {
        assert_eq!(reads(text, ScriptKind::Expression), wanted, "{text}");
    }
    let text = "let i = inputs.count; for h in inputs.hosts { let host = h; host.len(); } i";
    assert_eq!(reads(text, ScriptKind::Script), ["inputs.count", "inputs.hosts"]);
}

#[test]
fn the_type_of_the_result_is_known_where_it_can_be() {
    for (text, wanted) in [
        ("inputs.count", Type::Integer),
        ("inputs.count + 1", Type::Integer),
        ("inputs.count + 1.5", Type::Number),
        ("host + 1", Type::String),
        ("inputs.hosts", list(Type::String)),
        ("inputs.hosts.filter(|h| h != \"\")", list(Type::String)),
        ("inputs.hosts.map(|h| h.len())", list(Type::Integer)),
        ("inputs.hosts[0]", Type::String),
        ("host == now", Type::Boolean),
        ("steps.triage.output.attack && !false", Type::Boolean),
        ("inputs.first_seen", Type::Any),
        ("inputs.first_seen ?? now", Type::String),
        ("steps.ask.output?.sure", Type::Any),
        ("steps.ask.output?.sure ?? false", Type::Boolean),
        ("steps.triage.counts?.failed ?? 0", Type::Integer),
        ("if host == now { 1 } else { 2.5 }", Type::Number),
        ("steps.free.output.x", Type::Any),
        ("plus(now, \"4h\")", Type::String),
        ("host.split(\",\")", list(Type::String)),
        ("inputs.hosts.len() > 1", Type::Boolean),
        ("#{ n: 1 }", object(&[("n", Field::present(Type::Integer))])),
        ("()", Type::Null),
    ] {
        assert_eq!(is_fine(text, ScriptKind::Expression).ty, wanted, "{text}");
    }
    let text = "let n = inputs.count; if n > 3 { return \"many\"; } n";
    assert_eq!(is_fine(text, ScriptKind::Script).ty, Type::Any);
    let text = "let left = inputs.hosts.filter(|h| h != host); #{ left: left, n: left.len() }";
    let wanted = object(&[
        ("left", Field::present(list(Type::String))),
        ("n", Field::present(Type::Integer)),
    ]);
    assert_eq!(is_fine(text, ScriptKind::Script).ty, wanted);
}

#[test]
fn a_bare_path_is_one_path_and_nothing_else() {
    for (text, bare) in [
        ("host", true),
        (" inputs.hosts ", true),
        ("steps.triage.output.attack", true),
        ("steps.free.output.a.b", true),
        ("inputs.hosts.len", false),
        ("inputs.hosts.len()", false),
        ("inputs.hosts[0]", false),
        ("inputs.owner?.name", false),
        ("!steps.triage.output.attack", false),
        ("1", false),
    ] {
        let checked = is_fine(text, ScriptKind::Expression);
        assert_eq!(checked.bare, bare, "{text}");
        assert!(!bare || checked.reads.len() == 1, "{text}");
    }
    assert!(!is_fine("host", ScriptKind::Script).bare);
}
