//! Short words for what every connector's file says.

use beistand_connector_api::{ActionName, Schema};

/// An action's name that is written in our own source.
///
/// # Panics
/// Where the literal is no action's name: the first test that reads the spec says so.
#[expect(
    clippy::expect_used,
    reason = "only called with literals, and the contract test reads every spec"
)]
pub fn action(name: &'static str) -> ActionName {
    name.parse().expect("a literal action name")
}

/// The settings schema of a secret: a reference, never a value.
pub fn secret_schema() -> Schema {
    let text = || Schema::string().optional();
    Schema::object([
        ("file", text().titled("A file that holds it")),
        ("env", text().titled("A variable of the environment")),
        ("credential", text().titled("A credential of the service manager")),
    ])
    .titled("One of file, env, credential")
}
