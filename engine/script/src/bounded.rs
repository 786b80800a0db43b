//! Rhai's own functions on lists and on values of any kind, replaced where they take memory without
//! bound, swallow errors, recurse without end, or answer in silence what should be an error.

use std::cmp::Ordering;

use rhai::{Array, Dynamic, Engine, FnPtr, Map, NativeCallContext, OP_EQUALS};

use crate::functions::{Outcome, Text, refuse};
use crate::limits::{LIST_ITEMS_MAX, VALUE_DEPTH_MAX};
use crate::value;

/// Replaces them in an engine. Functions registered here come before those of packages.
pub(crate) fn register(engine: &mut Engine) {
    growing(engine);
    sorting(engine);
    searching(engine);
    comparing(engine);
}

// ---- growth -----------------------------------------------------------------------------------

/// What puts many items into a list at once counts them first.
fn growing(engine: &mut Engine) {
    engine
        .register_fn("pad", |list: &mut Array, length: i64, item: Dynamic| {
            let length = usize::try_from(length).unwrap_or(0);
            if length > LIST_ITEMS_MAX {
                return refuse(too_many("the padded list"));
            }
            // Copies of a list or object weigh what it weighs; only flat items are padded with.
            if item.is_array() || item.is_map() || item.is_fnptr() {
                return refuse("a list is padded with texts, numbers, booleans or null");
            }
            if length > list.len() {
                list.resize(length, item);
            }
            Ok(())
        })
        .register_fn("+", |list: Array, more: Array| extended(list, more))
        .register_fn("+=", |list: &mut Array, more: Array| {
            *list = extended(std::mem::take(list), more)?;
            Outcome::Ok(())
        })
        .register_fn("append", |list: &mut Array, more: Array| {
            *list = extended(std::mem::take(list), more)?;
            Outcome::Ok(())
        });
}

fn extended(mut list: Array, more: Array) -> Outcome<Array> {
    if list.len() + more.len() > LIST_ITEMS_MAX {
        return refuse(too_many("the joined list"));
    }
    list.extend(more);
    Ok(list)
}

/// The sentence for a list that grew over the limit.
pub(crate) fn too_many(what: &str) -> String {
    format!("{what} is over {LIST_ITEMS_MAX} items")
}

// ---- order ------------------------------------------------------------------------------------

/// Rhai's comparators swallow every error, also the one that stops a script.
fn sorting(engine: &mut Engine) {
    for name in ["sort", "sort_by"] {
        engine.register_fn(name, |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
            *list = sorted(&context, std::mem::take(list), &by)?;
            Outcome::Ok(())
        });
    }
    for name in ["order", "order_by"] {
        engine.register_fn(name, |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
            sorted(&context, list.clone(), &by)
        });
    }
    engine
        .register_fn("dedup", |list: &mut Array| {
            let mut kept = Array::new();
            for item in std::mem::take(list) {
                if !kept.last().map_or(Ok(false), |last| same(last, &item, 0))? {
                    kept.push(item);
                }
            }
            *list = kept;
            Outcome::Ok(())
        })
        .register_fn("dedup", |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
            let mut kept = Array::new();
            for item in std::mem::take(list) {
                let equal = match kept.last() {
                    Some(last) => {
                        holds(&by.call_raw(&context, None, [last.clone(), item.clone()])?)?
                    }
                    None => false,
                };
                if !equal {
                    kept.push(item);
                }
            }
            *list = kept;
            Outcome::Ok(())
        });
}

fn holds(answer: &Dynamic) -> Outcome<bool> {
    match answer.as_bool() {
        Ok(answer) => Ok(answer),
        Err(_) => refuse(format!("true or false is wanted here, not {}", value::describe(answer))),
    }
}

/// A merge sort whose comparator may fail, and which no comparator can lead astray. Stable.
fn sorted(context: &NativeCallContext<'_>, list: Array, by: &FnPtr) -> Outcome<Array> {
    let mut runs: Vec<Array> = list.into_iter().map(|item| vec![item]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(left) = pairs.next() {
            merged.push(match pairs.next() {
                Some(right) => merge(context, left, right, by)?,
                None => left,
            });
        }
        runs = merged;
    }
    Ok(runs.pop().unwrap_or_default())
}

fn merge(context: &NativeCallContext<'_>, left: Array, right: Array, by: &FnPtr) -> Outcome<Array> {
    let mut merged = Array::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let answer = by.call_raw(context, None, [a.clone(), b.clone()])?;
        let from_right =
            if let Ok(number) = answer.as_int() { number > 0 } else { !holds(&answer)? };
        merged.extend(if from_right { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

// ---- equality and order of values -------------------------------------------------------------

fn searching(engine: &mut Engine) {
    engine
        .register_fn("contains", |list: &mut Array, wanted: Dynamic| {
            position(list, &wanted, 0).map(|found| found.is_some())
        })
        .register_fn("index_of", |list: &mut Array, wanted: Dynamic| {
            position(list, &wanted, 0).map(index)
        })
        .register_fn("index_of", |list: &mut Array, wanted: Dynamic, start: i64| {
            let start = usize::try_from(start).unwrap_or(0);
            position(list, &wanted, start).map(index)
        })
        // More exact than the ones above, so a function is still a predicate.
        .register_fn("index_of", |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
            for (at, item) in list.iter().enumerate() {
                if holds(&by.call_raw(&context, None, [item.clone()])?)? {
                    return Ok(index(Some(at)));
                }
            }
            Outcome::Ok(-1)
        });
}

fn position(list: &Array, wanted: &Dynamic, start: usize) -> Outcome<Option<usize>> {
    for (at, item) in list.iter().enumerate().skip(start) {
        if same(item, wanted, 0)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn index(found: Option<usize>) -> i64 {
    found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)
}

/// Rhai answers `false` when a text is compared with a number, so a slip of the pen would skip an
/// isolation. Here it is an error; only null may be compared with everything.
fn comparing(engine: &mut Engine) {
    // The common pairs by their exact types: found at once.
    macro_rules! exact {
        ($($kind:ty),*) => {$(
            engine
                .register_fn("==", |a: $kind, b: $kind| a == b)
                .register_fn("!=", |a: $kind, b: $kind| a != b)
                .register_fn("<", |a: $kind, b: $kind| a < b)
                .register_fn("<=", |a: $kind, b: $kind| a <= b)
                .register_fn(">", |a: $kind, b: $kind| a > b)
                .register_fn(">=", |a: $kind, b: $kind| a >= b);
        )*};
    }
    exact!(i64, bool, Text);
    engine
        .register_fn("==", |a: &mut Array, b: Array| same_lists(a, &b, 0))
        .register_fn("!=", |a: &mut Array, b: Array| same_lists(a, &b, 0).map(|same| !same))
        .register_fn("==", |a: &mut Map, b: Map| same_maps(a, &b, 0))
        .register_fn("!=", |a: &mut Map, b: Map| same_maps(a, &b, 0).map(|same| !same))
        .register_fn(OP_EQUALS, |a: &mut Dynamic, b: Dynamic| equal(a, &b))
        .register_fn("!=", |a: &mut Dynamic, b: Dynamic| equal(a, &b).map(|same| !same))
        .register_fn("<", |a: &mut Dynamic, b: Dynamic| order(a, &b).map(Ordering::is_lt))
        .register_fn("<=", |a: &mut Dynamic, b: Dynamic| order(a, &b).map(Ordering::is_le))
        .register_fn(">", |a: &mut Dynamic, b: Dynamic| order(a, &b).map(Ordering::is_gt))
        .register_fn(">=", |a: &mut Dynamic, b: Dynamic| order(a, &b).map(Ordering::is_ge));
}

fn equal(a: &Dynamic, b: &Dynamic) -> Outcome<bool> {
    if a.is_unit() || b.is_unit() || family(a) == family(b) {
        same(a, b, 0)
    } else {
        refuse(unequal_kinds(a, b))
    }
}

fn unequal_kinds(a: &Dynamic, b: &Dynamic) -> String {
    format!("{} can not be compared with {}", value::describe(a), value::describe(b))
}

/// What may be compared with each other.
fn family(value: &Dynamic) -> u8 {
    if value.is_int() || value.is_float() {
        1
    } else if value.is_string() || value.is_char() {
        2
    } else if value.is_bool() {
        3
    } else if value.is_array() {
        4
    } else if value.is_map() {
        5
    } else {
        0
    }
}

fn order(a: &Dynamic, b: &Dynamic) -> Outcome<Ordering> {
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return match a.partial_cmp(&b) {
            Some(order) => Ok(order),
            None => refuse("what is not a number can not be compared"),
        };
    }
    if let (Some(a), Some(b)) = (text(a), text(b)) {
        return Ok(a.cmp(&b));
    }
    if family(a) == family(b) && !a.is_unit() {
        return refuse(format!("{} has no order; compare a part of it", value::describe(a)));
    }
    refuse(unequal_kinds(a, b))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "as Rhai does; whole numbers over 2^53 never come in and never go out"
)]
fn number(value: &Dynamic) -> Option<f64> {
    value.as_int().map(|integer| integer as f64).or_else(|_| value.as_float()).ok()
}

fn text(value: &Dynamic) -> Option<String> {
    value
        .as_immutable_string_ref()
        .map(|text| text.to_string())
        .or_else(|_| value.as_char().map(String::from))
        .ok()
}

/// Equality of data, whatever the kinds; a whole number equals its float.
fn same(a: &Dynamic, b: &Dynamic, depth: usize) -> Outcome<bool> {
    if let (Ok(a), Ok(b)) = (a.as_int(), b.as_int()) {
        return Ok(a == b);
    }
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return Ok(a.partial_cmp(&b) == Some(Ordering::Equal));
    }
    if let (Ok(a), Ok(b)) = (a.as_immutable_string_ref(), b.as_immutable_string_ref()) {
        return Ok(*a == *b);
    }
    if let (Some(a), Some(b)) = (text(a), text(b)) {
        return Ok(a == b);
    }
    if let (Ok(a), Ok(b)) = (a.as_bool(), b.as_bool()) {
        return Ok(a == b);
    }
    if let (Ok(a), Ok(b)) = (a.as_array_ref(), b.as_array_ref()) {
        return same_lists(&a, &b, depth);
    }
    if let (Ok(a), Ok(b)) = (a.as_map_ref(), b.as_map_ref()) {
        return same_maps(&a, &b, depth);
    }
    Ok(a.is_unit() && b.is_unit())
}

fn same_lists(a: &Array, b: &Array, depth: usize) -> Outcome<bool> {
    deeper(depth)?;
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.iter().zip(b) {
        if !same(a, b, depth + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_maps(a: &Map, b: &Map, depth: usize) -> Outcome<bool> {
    deeper(depth)?;
    if a.len() != b.len() {
        return Ok(false);
    }
    for (name, a) in a {
        match b.get(name) {
            Some(b) if same(a, b, depth + 1)? => {}
            Some(_) | None => return Ok(false),
        }
    }
    Ok(true)
}

fn deeper(depth: usize) -> Outcome<()> {
    if depth >= VALUE_DEPTH_MAX {
        return refuse(format!("values nested over {VALUE_DEPTH_MAX} levels are not compared"));
    }
    Ok(())
}
