//! How somebody likes pages: language, zone, light or dark. Kept by their browser, for a year.

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use beistand_core::timeline::{Lang, Zone};
use serde::Deserialize;

use super::form::Form;
use super::place::Place;
use crate::door::cookie;
use crate::lang::preferred;
use crate::report::Problem;
use crate::words::Theme;

/// The cookie. It says nothing about anybody, and opens nothing.
const COOKIE: &str = "__Host-beistand-show";

/// Seconds for which a browser keeps it.
const YEAR: u32 = 31_536_000;

/// The clock that times are told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// That of the administrations it is written for.
    Berlin,
    /// That of logs.
    Utc,
}

impl Clock {
    /// The zone that it is of.
    pub(crate) const fn zone(self) -> Zone {
        match self {
            Self::Berlin => Zone::Berlin,
            Self::Utc => Zone::Utc,
        }
    }
}

/// How pages are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Show {
    pub(crate) lang: Lang,
    pub(crate) clock: Clock,
    pub(crate) theme: Theme,
}

/// What somebody would rather see; what is not said stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    lang: Option<String>,
    zone: Option<String>,
    theme: Option<String>,
    next: Option<String>,
}

impl Show {
    /// As a request says: by the cookie, otherwise by the languages that its browser prefers.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let lang = preferred(headers).unwrap_or_default();
        let mut show = Self { lang, clock: Clock::Berlin, theme: Theme::System };
        let words = cookie(headers, COOKIE).unwrap_or_default();
        for word in words.split('.') {
            show = show.with(word);
        }
        show
    }

    /// The same, but for one word; one that is none changes nothing.
    fn with(mut self, word: &str) -> Self {
        match word {
            "de" => self.lang = Lang::De,
            "en" => self.lang = Lang::En,
            "berlin" => self.clock = Clock::Berlin,
            "utc" => self.clock = Clock::Utc,
            "system" => self.theme = Theme::System,
            "light" => self.theme = Theme::Light,
            "dark" => self.theme = Theme::Dark,
            _ => {}
        }
        self
    }

    fn line(self) -> String {
        format!("{}.{}.{}", self.lang, self.zone_word(), self.theme_word())
    }

    /// `berlin` or `utc`.
    pub(crate) const fn zone_word(self) -> &'static str {
        match self.clock {
            Clock::Berlin => "berlin",
            Clock::Utc => "utc",
        }
    }

    /// `system`, `light` or `dark`.
    pub(crate) const fn theme_word(self) -> &'static str {
        match self.theme {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// Shows pages as somebody likes them, from now on.
pub(super) async fn show(headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let wish: Wish = form.read()?;
    let words = [wish.lang, wish.zone, wish.theme];
    let show = words.iter().flatten().fold(Show::of(&headers), |show, word| show.with(word));
    let mut response = Place::of(wish.next.as_deref().unwrap_or("/")).seen();
    let line =
        format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={YEAR}", show.line());
    let line = HeaderValue::from_str(&line).map_err(|error| Problem::internal(&error))?;
    response.headers_mut().insert(SET_COOKIE, line);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use axum::http::header::{ACCEPT_LANGUAGE, COOKIE as LINE};

    use super::*;

    #[test]
    fn who_chose_is_shown_what_they_chose_and_others_what_their_browser_prefers() {
        let english = (ACCEPT_LANGUAGE, "en".parse().unwrap());
        let shown = Show::of(&HeaderMap::from_iter([english.clone()]));
        assert_eq!(
            (shown.lang, shown.clock, shown.theme),
            (Lang::En, Clock::Berlin, Theme::System)
        );
        let chosen = (LINE, format!("{COOKIE}=de.utc.dark.nonsense").parse().unwrap());
        let shown = Show::of(&HeaderMap::from_iter([english, chosen]));
        assert_eq!((shown.lang, shown.clock, shown.theme), (Lang::De, Clock::Utc, Theme::Dark));
        assert_eq!(shown.line(), "de.utc.dark");
    }
}
