//! What the crate promises, as a whole: evaluation, bombs, findings.

mod bombs;
mod evaluation;
mod findings;

use serde_json::{Map, Value, json};

use crate::{CountingAllocator, Scripts};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn scripts() -> Scripts {
    Scripts::new().expect("the test counts its memory")
}

/// Values by name, from a JSON object.
fn values(object: Value) -> Map<String, Value> {
    let Value::Object(fields) = object else { panic!("{object} is no object") };
    fields
}

fn nothing() -> Map<String, Value> {
    values(json!({}))
}
