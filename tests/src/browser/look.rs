//! How somebody looks at a page: on what, in which language, in which colours, with scripts or without.

use serde_json::{Value, json};

/// The size of the page's window, in its own pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Its width.
    pub width: u16,
    /// Its height.
    pub height: u16,
}

impl Size {
    /// At a desk.
    pub const DESK: Self = Self { width: 1280, height: 720 };
    /// On a telephone in a stairwell.
    pub const PHONE: Self = Self { width: 375, height: 667 };
    /// The narrowest at which a page must still be read without scrolling sideways (WCAG 2.2, 1.4.10).
    pub const NARROW: Self = Self { width: 320, height: 568 };

    /// Up to this width it is a telephone: a page that does not say that it fits is laid out wide.
    const PHONE_WIDTH_MAX: u16 = 480;

    pub(super) fn metrics(self) -> Value {
        let phone = self.width <= Self::PHONE_WIDTH_MAX;
        json!({
            "width": self.width, "height": self.height, "deviceScaleFactor": 1, "mobile": phone,
        })
    }
}

/// Which colours somebody prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// Whose colours are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// Those of the page.
    Page,
    /// Those that the reader forces on every page.
    Forced,
}

/// For what a page is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// The screen.
    Screen,
    /// Paper.
    Print,
}

/// Whether a page's own scripts run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    /// They do.
    On,
    /// They do not; the test's own do.
    Off,
}

/// How somebody looks at pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The window.
    pub size: Size,
    /// The language that is asked for, such as `de`; fixed once the window is open.
    pub language: &'static str,
    /// Which colours are preferred.
    pub scheme: Scheme,
    /// Whose colours are shown.
    pub colours: Colours,
    /// For what the page is laid out.
    pub medium: Medium,
    /// Whether the page's scripts run.
    pub scripts: Scripts,
}

impl Default for Look {
    /// At a desk, in German, by daylight.
    fn default() -> Self {
        Self {
            size: Size::DESK,
            language: "de",
            scheme: Scheme::Light,
            colours: Colours::Page,
            medium: Medium::Screen,
            scripts: Scripts::On,
        }
    }
}

impl Look {
    /// The medium and the media features, for the browser's emulation.
    pub(super) fn media(&self) -> Value {
        let medium = match self.medium {
            Medium::Screen => "",
            Medium::Print => "print",
        };
        let scheme = match self.scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let forced = match self.colours {
            Colours::Page => "none",
            Colours::Forced => "active",
        };
        json!({"media": medium, "features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "forced-colors", "value": forced},
            // A picture of a movement is of no use.
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]})
    }
}
