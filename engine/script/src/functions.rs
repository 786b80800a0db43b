//! The functions that the playbook language adds to Rhai's own. All are pure: no clock, no disk,
//! no network; `now` is a value.

use std::net::IpAddr;

use beistand_core::model::{Millis, Span};
use ipnet::IpNet;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map, Position};
use sha2::{Digest as _, Sha256};

use crate::limits::{self, TEXT_BYTES_MAX};
use crate::value;

/// What a function gives to Rhai: its value, or a sentence.
pub(crate) type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// An error with a sentence; Rhai fills in the place of the call.
pub(crate) fn refuse<T>(sentence: impl Into<String>) -> Outcome<T> {
    Err(Box::new(EvalAltResult::ErrorRuntime(sentence.into().into(), Position::NONE)))
}

/// Where people read the clock; times in values stay in UTC.
const LOCAL_ZONE: &str = "Europe/Berlin";

/// Adds them to an engine.
pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_fn("plus", |at: &str, span: &str| moved(at, span, Millis::plus))
        .register_fn("minus", |at: &str, span: &str| moved(at, span, Millis::minus))
        .register_fn("between", between)
        .register_fn("before", |a: &str, b: &str| Outcome::Ok(time(a)? < time(b)?))
        .register_fn("local", local)
        .register_fn("join", join)
        .register_fn("json", json)
        .register_fn("to_json", |map: &mut Map| json(Dynamic::from_map(map.clone())))
        .register_fn("parse_json", parse_json)
        .register_fn("sha256", |text: &str| hex::encode(Sha256::digest(text.as_bytes())))
        .register_fn("in_cidr", in_cidr)
        .register_fn("assets", assets);
}

fn time(text: &str) -> Outcome<Millis> {
    Millis::parse(text).or_else(|error| refuse(error.to_string()))
}

fn moved(at: &str, span: &str, direction: fn(Millis, Span) -> Millis) -> Outcome<String> {
    let span = Span::parse(span).or_else(|error| refuse(error.to_string()))?;
    Ok(direction(time(at)?, span).to_string())
}

/// The distance of two instants as a duration, whichever is earlier; `before` tells the order.
fn between(a: &str, b: &str) -> Outcome<String> {
    let (a, b) = (time(a)?, time(b)?);
    Ok(a.max(b).since(a.min(b)).to_string())
}

/// `2026-11-21 03:11 CET`: the wall clock of those who read it, with the zone said.
fn local(at: &str) -> Outcome<String> {
    let zone = TimeZone::get(LOCAL_ZONE).or_else(|error| refuse(error.to_string()))?;
    let instant = Timestamp::from_millisecond(time(at)?.get())
        .or_else(|error| refuse(format!("`{at}` is outside of the calendar: {error}")))?;
    Ok(instant.to_zoned(zone).strftime("%Y-%m-%d %H:%M %Z").to_string())
}

fn join(list: &mut Array, separator: &str) -> Outcome<String> {
    let mut joined = String::new();
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&piece(item, index)?);
        if joined.len() > TEXT_BYTES_MAX {
            return refuse(too_long("the joined text"));
        }
    }
    Ok(joined)
}

/// An item as text: texts as they are, numbers and booleans as JSON, nothing else.
fn piece(item: &Dynamic, index: usize) -> Outcome<String> {
    if let Ok(text) = item.as_immutable_string_ref() {
        return Ok(text.to_string());
    }
    if let Ok(character) = item.as_char() {
        return Ok(character.to_string());
    }
    if item.is_bool() || item.is_int() || item.is_float() {
        return json(item.clone());
    }
    refuse(format!(
        "item {index} of the list to join is {}; texts, numbers and booleans can be joined",
        value::describe(item)
    ))
}

fn json(value: Dynamic) -> Outcome<String> {
    let value = value::from_dynamic(value).or_else(refuse)?;
    let text = serde_json::to_string(&value).or_else(|error| refuse(error.to_string()))?;
    if text.len() > TEXT_BYTES_MAX { refuse(too_long("the JSON text")) } else { Ok(text) }
}

fn parse_json(text: &str) -> Outcome<Dynamic> {
    // A byte of JSON (`[`, `0,`) becomes at most some 80 bytes of value, twice on the way.
    limits::reserve(text.len().saturating_mul(16))?;
    let value: serde_json::Value =
        serde_json::from_str(text).or_else(|error| refuse(format!("this is no JSON: {error}")))?;
    value::to_dynamic(&value).or_else(refuse)
}

/// Whether an address is in a range. An address alone is a range of one.
fn in_cidr(address: &str, range: &str) -> Outcome<bool> {
    let address = parse_address(address)?;
    let range = match range.trim().parse::<IpNet>() {
        Ok(range) => range,
        Err(_) => match range.trim().parse::<IpAddr>() {
            Ok(single) => IpNet::from(single.to_canonical()),
            Err(_) => return refuse(format!("`{range}` is no range like 192.0.2.0/24")),
        },
    };
    Ok(range.contains(&address))
}

fn parse_address(text: &str) -> Outcome<IpAddr> {
    match text.trim().parse::<IpAddr>() {
        // `::ffff:192.0.2.1` is 192.0.2.1 in other clothes.
        Ok(address) => Ok(address.to_canonical()),
        Err(_) => refuse(format!("`{text}` is no address like 192.0.2.1")),
    }
}

/// `incident.assets(kind, state)`: those of the incident's assets that are both.
fn assets(incident: &mut Map, kind: &str, state: &str) -> Outcome<Array> {
    let Some(assets) = incident.get("assets") else {
        return refuse("only `incident` has assets");
    };
    let Ok(assets) = assets.as_array_ref() else {
        return refuse("the assets of this incident are no list");
    };
    let has = |asset: &Dynamic, name: &str, wanted: &str| {
        asset.as_map_ref().is_ok_and(|asset| {
            asset
                .get(name)
                .and_then(|field| field.as_immutable_string_ref().ok().map(|text| *text == wanted))
                .unwrap_or(false)
        })
    };
    Ok(assets
        .iter()
        .filter(|asset| has(asset, "kind", kind) && has(asset, "state", state))
        .cloned()
        .collect())
}

/// The sentence for a text that grew over the limit.
pub(crate) fn too_long(what: &str) -> String {
    format!("{what} is over {} KiB", TEXT_BYTES_MAX / 1024)
}

/// Rhai's text type, short.
pub(crate) type Text = ImmutableString;
