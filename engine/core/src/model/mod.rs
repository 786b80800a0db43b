//! The nouns of Beistand: ids, time, values, actions, targets. Connectors see this module only.

mod action;
mod bytes;
mod catalogue;
mod cause;
mod code;
mod connector;
mod id;
mod key;
mod line;
mod mode;
mod named;
mod path;
mod policy;
mod pretend;
mod schema;
mod spoken;
mod target;
mod text;
mod time;
mod vocabulary;

pub use action::{ActionSpec, Argument, TargetRule, UndoRule};
pub use bytes::{Digest, NotCanonical, canonical, digest_of, digest_of_bytes, exact};
pub(crate) use bytes::{canonical_integer, digest_of_canonical};
pub use catalogue::{Catalogue, capabilities};
pub use cause::{causes, chain};
pub use code::{CodeError, NeedCode};
pub use connector::{Answer, Call, CallError, ConnectorSpec, EffectClass, Offer, Probed, Reached};
pub use id::{
    AccountName, ActionName, ConnectorName, EntryId, IdError, IncidentId, LetterId, NeedId,
    Organisation, Person, PlaybookName, RunId, StepId, StoreId,
};
pub use key::{Direction, IdempotencyKey};
pub use line::LineId;
pub use mode::{ErrorKind, Mode, Role, Severity, Tlp};
pub use named::named_uuid;
pub use path::{Path, PathError};
pub use policy::{Guard, GuardHit, GuardIdentity, Limits, PolicyRule, Votes};
pub use pretend::{Pretence, pretended_class, sample, simulated_output};
pub use schema::{Format, Problem, Schema, SchemaType};
pub use target::{Inventory, InventoryHost, Target, TargetKind, Unresolved};
pub use text::{AssetName, ChosenKey, FileName, Label, NoteText, Reason, Sought, TextError, Title};
pub use time::{Millis, Span, TimeError};
pub(crate) use vocabulary::words;

/// A JSON value: what steps pass to each other and what the journal keeps.
pub use serde_json::Value;
