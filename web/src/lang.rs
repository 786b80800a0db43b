//! Which of our languages a client would rather read.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use beistand_core::timeline::Lang;

/// The language of ours that a client likes best (RFC 9110 section 12.5.4); none where it names
/// neither. What can not be read is passed over: it is a wish.
pub(crate) fn preferred(headers: &HeaderMap) -> Option<Lang> {
    let wishes = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let mut best: Option<(f32, Lang)> = None;
    for wish in wishes.flat_map(|value| value.split(',')) {
        let (tag, weight) = wish.split_once(';').unwrap_or((wish, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|text| text.parse::<f32>().ok());
        let primary = tag.trim().split('-').next().unwrap_or_default();
        let lang = match primary.to_ascii_lowercase().as_str() {
            "de" => Lang::De,
            "en" => Lang::En,
            _ => continue,
        };
        let Some(weight) = weight.filter(|weight| *weight > 0.0) else { continue };
        if best.is_none_or(|(before, _)| weight > before) {
            best = Some((weight, lang));
        }
    }
    best.map(|(_, lang)| lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_in_the_language_that_is_liked_best() {
        for (wish, wanted) in [
            ("en", Some(Lang::En)),
            ("en-GB,en;q=0.9,de;q=0.8", Some(Lang::En)),
            ("fr, en;q=0.3, DE-at;q=0.7", Some(Lang::De)),
            ("en;q=0, de;q=0.1", Some(Lang::De)),
            ("de, en", Some(Lang::De)),
            ("fr", None),
            ("en;q=often", None),
            ("*", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, wish.parse().unwrap())]);
            assert_eq!(preferred(&headers), wanted, "{wish}");
        }
        assert_eq!(preferred(&HeaderMap::new()), None);
    }
}
