//! Who asks, what they may do, and what changes that.
//!
//! Every verb passes [`authorize`](crate::Engine::execute) before anything else happens, whatever way
//! it came: the right is what the store says then, so that a role that was taken back is gone at once.
//! Memory answers in its place only while nothing about accounts can have been written since
//! (`holders.rs`). In a store without accounts a name is enough, and stands there as asserted.

mod act;
mod authorize;
mod credential;
mod guess;
mod holders;
mod identify;
mod own;
mod passkey;
mod question;
mod refused;
mod secret;
mod session;
mod single_sign_on;
mod telephone;

pub(crate) use authorize::{From, of_command};
pub(crate) use guess::UnderWay;
pub(crate) use holders::Holders;
pub(crate) use telephone::{InUse, USED_UP};

pub use beistand_connector_api::Secret;

pub use act::{AccessAct, NewCredential};
pub use identify::{Caller, Denied, SecondFactor, account_of_words, holder_of_token};
pub use own::Unchanged;
pub use passkey::{Challenge, Nameless, NotAdded, Passkeys, Shown};
pub use secret::{Weak, code_as_heard, digested, new_code, new_token, strong, token_lookup};
pub use session::{Begun, FRESH_FOR, OwnSession};
pub use telephone::{OnTelephone, on_telephone};
