//! Scripts that want to hurt: each ends as an error within 2 s and 64 MiB, and nothing else
//! happens to the program.

use std::time::{Duration, Instant};

use beistand_core::playbook::{Expressions, Names, ScriptKind};
use serde_json::json;

use super::{nothing, scripts, values};
use crate::limits::{MEMORY_BUDGET, Used};

/// In processor time.
const TIME_MAX: Duration = Duration::from_secs(2);
/// By the clock on the wall, on a machine as busy as it likes.
const WALL_MAX: Duration = Duration::from_secs(12);

/// Runs a bomb and gives what it said.
#[expect(clippy::disallowed_methods, reason = "the test is about time")]
fn defused(script: &str) -> String {
    let started = Instant::now();
    let scripts = scripts();
    let (result, used) = scripts.evaluate_measured(script, ScriptKind::Script, &nothing());
    let took = started.elapsed();
    let short: String = script.chars().take(60).collect();
    let Used { operations, memory_bytes, time } = used;
    println!("{time:?} of {took:?}, {memory_bytes} bytes, {operations} operations: {short}");
    assert!(time < TIME_MAX && took < WALL_MAX, "{short}: {time:?} of {took:?}");
    assert!(memory_bytes < MEMORY_BUDGET, "{short}: {memory_bytes} bytes");
    // The engine lives.
    assert_eq!(scripts.evaluate("1 + 1", ScriptKind::Expression, &nothing()), Ok(json!(2)));
    result.expect_err(&short).message
}

/// A statement so many times, with a number for each `#`.
fn numbered(statement: &str, times: usize) -> String {
    (0..times).map(|n| statement.replace('#', &n.to_string())).collect::<Vec<_>>().concat()
}

macro_rules! bombs {
    ($($name:ident: $script:expr => $words:expr;)*) => {$(
        #[test]
        fn $name() {
            let message = defused(&$script);
            assert!(message.contains($words), "{message}");
        }
    )*};
}

const GROW: &str = "let big = []; big.pad(9000, 7);";

bombs! {
    closures_that_capture_large_lists: format!(
        "{GROW} let all = []; for i in 0..9000 {{ let own = big; own[0] = i; all.push(|| own.len()); }} all.len()"
    ) => "64 MiB";
    closures_that_capture_closures: "let f = || 1; for i in 0..1000000 { let g = f; f = || g.call(); } 1" => "";
    curried_pointers: "let f = Fn(\"g\"); let all = []; loop { all.push(f.curry([1])); }" => "not part";
    frames_times_lists: format!(
        "{GROW} fn down(n, big) {{ {} if n > 0 {{ down(n - 1, big) }} }} down(30, big)",
        numbered("let v# = big; v#[0] = n;", 200)
    ) => "64 MiB";
    replace_that_multiplies: "let a = \"a\"; a.pad(64000, 'a'); let b = \"b\"; b.pad(64000, 'b'); \
        a.replace(\"a\", b); a.len()" => "after `replace`";
    sort_with_an_endless_comparator: "let a = []; a.pad(1000, 1); a.sort(|x, y| { loop {} }); \"survived\""
        => "operations";
    sort_with_a_throwing_comparator: "let a = [3, 1, 2]; a.sort(|x, y| throw \"no\"); \"survived\"" => "no";
    dedup_with_an_endless_comparator: "let a = [1, 1, 2]; a.dedup(|x, y| { loop {} }); \"survived\""
        => "operations";
    sleep_of_half_a_minute: "sleep(30.0)" => "`sleep`";
    source_of_18_mb: "1 + ".repeat(4_500_000) + "1" => "bytes";
    an_endless_loop: "loop {}" => "operations";
    a_large_range: "let n = 0; for i in 0..1000000000000 { n += i; } n" => "operations";
    recursion_without_end: "fn f(n) { f(n + 1) } f(0)" => "nested calls";
    deep_parentheses: "(".repeat(20_000) + "1" + &*")".repeat(20_000) => "nests deeper";
    deep_lists: "[".repeat(20_000) + &*"]".repeat(20_000) => "nests deeper";
    deep_blocks: "{".repeat(20_000) + &*"}".repeat(20_000) => "nests deeper";
    many_negations: "!".repeat(20_000) + "true" => "nests deeper";
    many_sums: "1".to_owned() + &*"+1".repeat(20_000) => "nests deeper";
    many_closures: "let a = [];".to_owned() + &*"a.push(|x|x);".repeat(4_000) + "1" => "";
    long_else_if: "if false {}".to_owned() + &*" else if false {}".repeat(3_700) => "";
    map_over_large_texts: "let s = \"\"; s.pad(60000, 'x'); let a = []; a.pad(10000, 1); \
        a.map(|x| s + x).len()" => "";
    doubling_texts: "let s = \"x\"; loop { s += s; }" => "over 1024 KiB";
    doubling_lists: "let a = [1]; loop { a += a; }" => "over 100000";
    pad_a_text: "let s = \"\"; s.pad(100000000, 'x'); s" => "over 1024 KiB";
    pad_a_list: "let a = []; a.pad(100000000, 1); a" => "over 100000";
    pad_a_list_of_texts: "let s = \"\"; s.pad(60000, 'x'); let a = []; a.pad(40000, s); a.map(|x| x + 1).len()" => "64 MiB";
    split_into_letters: "let s = \"\"; s.pad(250000, 'x'); s.split(\"\").len()" => "over 100000";
    letters_of_a_large_text: "let s = \"\"; s.pad(250000, 'x'); s.to_chars().len()" => "over 100000";
    a_list_in_itself: "let a = [0]; loop { a.push(a); }" => "64 MiB";
    a_deep_list: "let a = []; loop { a = [a]; }" => "";
    a_deep_list_printed: "let a = []; for i in 0..500 { a = [a]; } `${a}`" => "no text";
    a_deep_list_compared: "let a = []; for i in 0..500 { a = [a]; } a == a" => "not compared";
    a_deep_list_thrown: "let a = []; for i in 0..500 { a = [a]; } throw a" => "threw";
    a_deep_list_given: "let a = []; for i in 0..500 { a = [a]; } a" => "deeper";
    a_deep_list_switched: "let a = []; for i in 0..500 { a = [a]; } switch a { 1 => 2, _ => loop {} }" => "operations";
    a_deep_object: "let a = #{}; loop { a = #{ a: a }; }" => "";
    deep_json: format!("parse_json(\"{}{}\")", "[".repeat(30_000), "]".repeat(30_000)) => "no JSON";
    wide_json: "let s = \"0\"; for i in 0..18 { s = s + \",\" + s; } let all = []; \
        loop { all.push(parse_json(\"[\" + s + \"]\")); }" => "";
    joined_lists: "let a = []; a.pad(50000, \"0123456789012345678901234567890123456789\"); loop { a.join(\",\"); }" => "";
    one_large_text: format!(
        "let s = \"\"; s.pad(250000, 'x'); s = s + s; let t = `{}`; t.sub_string(-99999999).len()",
        "${s}".repeat(60)
    ) => "64 MiB";
    letters_of_a_text: "let n = 0; loop { for c in \"abcdefghij\" { n += 1; } }" => "operations";
    many_variables: numbered("let v# = 1;", 300) => "variables";
    eval_of_text: "eval(\"1\")" => "not part";
    output: "print(\"x\")" => "not part";
    modules: "import \"x\" as x; 1" => "";
    the_clock: "timestamp()" => "timestamp";
    overflow: "9223372036854775807 + 1" => "overflow";
    division_by_zero: "1 / 0" => "zero";
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is about time")]
fn checking_a_bomb_ends_as_well() {
    for bomb in [
        "(".repeat(20_000),
        "if false {}".to_owned() + &*" else if false {}".repeat(3_700),
        "x.".repeat(20_000) + "x",
        "let a = [];".to_owned() + &*"a.push(|x| x);".repeat(4_000),
        "|x| ".repeat(10_000) + "x",
        "fn f() {} ".repeat(300),
        "-".repeat(60_000) + "1",
        "x[".repeat(20_000),
        "`${".repeat(10_000),
    ] {
        let started = Instant::now();
        let faults = scripts().check(&bomb, ScriptKind::Script, &Names::default());
        let took = started.elapsed();
        assert!(took < WALL_MAX, "{took:?}");
        assert!(!faults.unwrap_err().is_empty());
    }
}

#[test]
fn a_bomb_leaves_another_thread_its_pace() {
    let shared = scripts();
    std::thread::scope(|scope| {
        let bomb = shared.clone();
        scope.spawn(move || bomb.evaluate("loop {}", ScriptKind::Script, &nothing()));
        let input = values(json!({ "n": 20 }));
        for _ in 0..1_000 {
            let answer = shared.evaluate("n + 1 > 20", ScriptKind::Expression, &input);
            assert_eq!(answer, Ok(json!(true)));
        }
    });
}

#[test]
fn an_expression_gets_less_than_a_script() {
    let text = "value.filter(|n| n > 1).len()";
    let many = values(json!({ "value": vec![2; 20_000] }));
    let error = scripts().evaluate(text, ScriptKind::Expression, &many).unwrap_err();
    assert!(error.message.contains("10000 operations"), "{}", error.message);
    assert_eq!(scripts().evaluate(text, ScriptKind::Script, &many), Ok(json!(20_000)));
}
