//! Rhai's own functions on texts, replaced: bounded before they take memory, and never a text out of
//! null, a list or an object by itself.

use std::any::TypeId;
use std::ops::{Range, RangeInclusive};

use rhai::{Array, Dynamic, Engine, Map, Module};

use crate::bounded::too_many;
use crate::functions::{Outcome, Text, refuse, too_long};
use crate::limits::{self, LIST_ITEMS_MAX, TEXT_BYTES_MAX};

/// Replaces them in an engine. Functions registered here come before those of packages.
pub(crate) fn register(engine: &mut Engine) {
    growing(engine);
    replacing(engine);
    splitting(engine);
    cutting(engine);
    letter_by_letter(engine);
    printing(engine);
}

/// Texts are put together and padded only up to the limit.
fn growing(engine: &mut Engine) {
    engine
        .register_fn("+", |a: Text, b: Text| together(&a, &b))
        .register_fn("+=", |a: &mut Text, b: Text| {
            *a = together(a, &b)?;
            Outcome::Ok(())
        })
        .register_fn("append", |a: &mut Text, b: Text| {
            *a = together(a, &b)?;
            Outcome::Ok(())
        })
        .register_fn("pad", |text: &mut Text, length: i64, with: char| {
            pad(text, length, with.encode_utf8(&mut [0; 4]))
        })
        .register_fn("pad", |text: &mut Text, length: i64, with: &str| pad(text, length, with));
}

fn together(a: &Text, b: &Text) -> Outcome<Text> {
    if a.len() + b.len() > TEXT_BYTES_MAX {
        return refuse(too_long("the text after `+`"));
    }
    let mut both = String::with_capacity(a.len() + b.len());
    both.push_str(a);
    both.push_str(b);
    Ok(both.into())
}

/// To a length in characters; whole pieces of `with`, the last one cut.
fn pad(text: &mut Text, length: i64, with: &str) -> Outcome<()> {
    let missing = usize::try_from(length).unwrap_or(0).saturating_sub(text.chars().count());
    // A character takes at most four bytes.
    if missing.saturating_mul(4).saturating_add(text.len()) > TEXT_BYTES_MAX {
        return refuse(too_long("the padded text"));
    }
    *text = text.chars().chain(with.chars().cycle().take(missing)).collect::<String>().into();
    Ok(())
}

/// `replace` and `trim` change the text as Rhai's do, and give it too.
fn replacing(engine: &mut Engine) {
    engine
        .register_fn("replace", |text: &mut Text, from: &str, to: &str| replace(text, from, to))
        .register_fn("replace", |text: &mut Text, from: char, to: &str| {
            replace(text, from.encode_utf8(&mut [0; 4]), to)
        })
        .register_fn("replace", |text: &mut Text, from: &str, to: char| {
            replace(text, from, to.encode_utf8(&mut [0; 4]))
        })
        .register_fn("replace", |text: &mut Text, from: char, to: char| {
            replace(text, from.encode_utf8(&mut [0; 4]), to.encode_utf8(&mut [0; 4]))
        })
        .register_fn("trim", |text: &mut Text| {
            let trimmed: Text = text.trim().into();
            *text = trimmed.clone();
            trimmed
        });
}

/// Rhai's own builds the result before it looks at its size: 64 KiB can become 4 GiB.
fn replace(text: &mut Text, from: &str, to: &str) -> Outcome<Text> {
    let found = text.matches(from).count();
    let length = found
        .checked_mul(to.len())
        .and_then(|added| added.checked_add(text.len()))
        .map(|length| length.saturating_sub(found.saturating_mul(from.len())));
    if length.is_none_or(|length| length > TEXT_BYTES_MAX) {
        return refuse(too_long("the text after `replace`"));
    }
    *text = text.replace(from, to).into();
    Ok(text.clone())
}

/// A split text takes seventy times its bytes; the pieces are counted first.
fn splitting(engine: &mut Engine) {
    engine
        .register_fn("split", |text: &mut Text| pieces(text.split_whitespace()))
        .register_fn("split", |text: &mut Text, by: &str| pieces(text.split(by)))
        .register_fn("split", |text: &mut Text, by: char| pieces(text.split(by)))
        .register_fn("split", |text: &mut Text, by: &str, most: i64| {
            pieces(text.splitn(at_least_one(most), by))
        })
        .register_fn("split", |text: &mut Text, by: char, most: i64| {
            pieces(text.splitn(at_least_one(most), by))
        })
        .register_fn("split_rev", |text: &mut Text, by: &str| pieces(text.rsplit(by)))
        .register_fn("split_rev", |text: &mut Text, by: char| pieces(text.rsplit(by)))
        .register_fn("split_rev", |text: &mut Text, by: &str, most: i64| {
            pieces(text.rsplitn(at_least_one(most), by))
        })
        .register_fn("split_rev", |text: &mut Text, by: char, most: i64| {
            pieces(text.rsplitn(at_least_one(most), by))
        })
        .register_fn("to_chars", |text: &str| {
            if text.chars().count() > LIST_ITEMS_MAX {
                return refuse(too_many("the list of characters"));
            }
            Ok(text.chars().map(Dynamic::from).collect::<Array>())
        });
}

fn at_least_one(most: i64) -> usize {
    usize::try_from(most).unwrap_or(1).max(1)
}

fn pieces<'text>(split: impl Iterator<Item = &'text str>) -> Outcome<Array> {
    let mut list = Array::new();
    for piece in split {
        if list.len() >= LIST_ITEMS_MAX {
            return refuse(too_many("the list of pieces"));
        }
        if list.len().is_multiple_of(1024) {
            limits::reserve(1024 * PIECE_BYTES)?;
        }
        list.push(Text::from(piece).into());
    }
    Ok(list)
}

/// A short text in a list: the value, the shared string, and room to grow.
const PIECE_BYTES: usize = 96;

// Rhai's own make a list of characters first, four bytes each.
fn cutting(engine: &mut Engine) {
    type Cut = fn(&Text, i64, i64) -> Text;
    let cut: Cut = |text, start, length| part(text, start, length).into();
    for name in ["sub_string", "chars"] {
        engine
            .register_fn(name, move |text: Text, start: i64| cut(&text, start, i64::MAX))
            .register_fn(name, move |text: Text, start: i64, length: i64| cut(&text, start, length))
            .register_fn(name, move |text: Text, range: Range<i64>| {
                let (start, length) = exclusive(&range);
                cut(&text, start, length)
            })
            .register_fn(name, move |text: Text, range: RangeInclusive<i64>| {
                let (start, length) = inclusive(&range);
                cut(&text, start, length)
            });
    }
    engine
        .register_fn("chars", |text: Text| text)
        .register_get("chars", |text: &mut Text| text.clone())
        .register_fn("crop", move |text: &mut Text, start: i64| *text = cut(text, start, i64::MAX))
        .register_fn("crop", move |text: &mut Text, start: i64, length: i64| {
            *text = cut(text, start, length);
        })
        .register_fn("crop", move |text: &mut Text, range: Range<i64>| {
            let (start, length) = exclusive(&range);
            *text = cut(text, start, length);
        })
        .register_fn("crop", move |text: &mut Text, range: RangeInclusive<i64>| {
            let (start, length) = inclusive(&range);
            *text = cut(text, start, length);
        })
        .register_fn("pop", move |text: &mut Text, length: i64| {
            let count = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            let kept = (count - length.clamp(0, count)).max(0);
            let end = cut(text, kept, i64::MAX);
            *text = cut(text, 0, kept);
            end
        });
}

fn exclusive(range: &Range<i64>) -> (i64, i64) {
    let start = range.start.max(0);
    (start, range.end.max(start) - start)
}

fn inclusive(range: &RangeInclusive<i64>) -> (i64, i64) {
    let start = (*range.start()).max(0);
    let end = (*range.end()).clamp(start - 1, i64::MAX - 1);
    (start, end - start + 1)
}

/// So many characters from a place on; a negative place counts from the end.
fn part(text: &str, start: i64, length: i64) -> &str {
    let skipped = usize::try_from(start).unwrap_or_else(|_| {
        let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
        text.chars().count().saturating_sub(back)
    });
    let length = usize::try_from(length).unwrap_or(0);
    let mut places = text.char_indices().map(|(at, _)| at).skip(skipped);
    let Some(from) = places.next().filter(|_| length > 0) else { return "" };
    let to = places.nth(length - 1).unwrap_or(text.len());
    text.get(from..to).unwrap_or_default()
}

/// `for letter in text`: one at a time.
fn letter_by_letter(engine: &mut Engine) {
    let mut module = Module::new();
    module.set_iter(TypeId::of::<Text>(), |value: Dynamic| {
        Box::new(Letters { text: value.into_immutable_string().unwrap_or_default(), at: 0 })
    });
    engine.register_global_module(module.into());
}

struct Letters {
    text: Text,
    at: usize,
}

impl Iterator for Letters {
    type Item = Dynamic;

    fn next(&mut self) -> Option<Dynamic> {
        let letter = self.text.get(self.at..)?.chars().next()?;
        self.at += letter.len_utf8();
        Some(letter.into())
    }
}

const WHOLE: &str = "a list or object is no text; use `join()` or `json()`";
const NULL: &str = "null is no text; give another value with `??`";

/// Lists and objects become text only by `join` and `json`, and null never does. In text templates
/// Rhai swallows errors and prints the value itself, which recurses: so the text there is empty,
/// and the evaluation is stopped.
fn printing(engine: &mut Engine) {
    fn empty(sentence: &str) -> Text {
        limits::stop_with(sentence);
        Text::new()
    }
    for name in ["to_string", "to_debug"] {
        engine
            .register_fn(name, |_: &mut Array| empty(WHOLE))
            .register_fn(name, |_: &mut Map| empty(WHOLE))
            .register_fn(name, |(): ()| empty(NULL));
    }
    macro_rules! never_added {
        ($($kind:ty => $sentence:expr),*) => {$(
            engine
                .register_fn("+", |_: Text, _: $kind| refuse::<Text>($sentence))
                .register_fn("+", |_: $kind, _: Text| refuse::<Text>($sentence))
                .register_fn("+=", |_: &mut Text, _: $kind| refuse::<()>($sentence))
                .register_fn("append", |_: &mut Text, _: $kind| refuse::<()>($sentence));
        )*};
    }
    never_added!(Array => WHOLE, Map => WHOLE, () => NULL);
}
