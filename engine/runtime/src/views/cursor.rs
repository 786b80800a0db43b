//! Where the next part of a list begins: opaque to whoever carries it, and of one kind of list only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::EngineError;

/// Longer than any that is made here.
const CURSOR_BYTES_MAX: usize = 512;

/// A place as a text that is fit for a URL.
pub(super) fn written(place: &impl Serialize) -> Result<String, EngineError> {
    let json = serde_json::to_vec(place);
    let json = json.map_err(|error| EngineError::Internal(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// The place that a text stands for.
///
/// # Errors
/// [`EngineError::Usage`] for one that was not made here, or for another kind of list.
pub(super) fn read<T: DeserializeOwned>(cursor: &str) -> Result<T, EngineError> {
    let wrong = || EngineError::Usage("the cursor is none of this list".to_owned());
    if cursor.len() > CURSOR_BYTES_MAX {
        return Err(wrong());
    }
    let json = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
    serde_json::from_slice(&json).map_err(|_| wrong())
}

/// The place of a row, by its number.
#[derive(Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) no: i64,
}

/// The row after which a part begins.
pub(super) fn row(cursor: Option<&str>) -> Result<Option<i64>, EngineError> {
    cursor.map(|cursor| read::<Row>(cursor).map(|row| row.no)).transpose()
}

/// Where the part after these rows begins: nowhere if they are fewer than were asked for.
pub(super) fn next<T>(rows: &[(i64, T)], limit: u32) -> Result<Option<String>, EngineError> {
    let full = u32::try_from(rows.len()).is_ok_and(|count| count >= limit);
    match rows.last() {
        Some((no, _)) if full => written(&Row { no: *no }).map(Some),
        Some(_) | None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_a_mangled_one_is_the_askers_fault() {
        let cursor = next(&[(9, ()), (7, ())], 2).unwrap().unwrap();
        assert!(cursor.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{cursor}");
        assert_eq!(row(Some(&cursor)).unwrap(), Some(7));
        assert_eq!(row(None).unwrap(), None);
        assert_eq!(next(&[(9, ())], 2).unwrap(), None, "the last part");
        let other = written(&serde_json::json!({"no": 7, "at": 1})).unwrap();
        let long = "e".repeat(CURSOR_BYTES_MAX + 1);
        for wrong in ["", "7", "%%%", &cursor[1..], &other, &long] {
            assert!(matches!(row(Some(wrong)), Err(EngineError::Usage(_))), "{wrong}");
        }
    }
}
