//! The keyboard: what is pressed, and where one is after it.

use serde_json::{Value, json};

use super::page::Session;
use super::wire::{ELEMENT, plain};
use crate::trouble::{Rig, While as _};

/// A key that is more than a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// On to the next.
    Tab,
    /// Yes; follows a link, sends a form.
    Enter,
    /// Presses a button, opens a list.
    Space,
    /// Closes what lies above.
    Escape,
    /// Up.
    Up,
    /// Down.
    Down,
    /// Left.
    Left,
    /// Right.
    Right,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// Held with the next key.
    Shift,
    /// A character.
    Character(char),
}

impl Key {
    /// As the protocol writes it (`WebDriver`, section 15.4.2, "keyboard actions").
    fn written(self) -> char {
        match self {
            Self::Tab => '\u{e004}',
            Self::Enter => '\u{e007}',
            Self::Space => ' ',
            Self::Escape => '\u{e00c}',
            Self::Up => '\u{e013}',
            Self::Down => '\u{e015}',
            Self::Left => '\u{e012}',
            Self::Right => '\u{e014}',
            Self::Home => '\u{e011}',
            Self::End => '\u{e010}',
            Self::Shift => '\u{e008}',
            Self::Character(character) => character,
        }
    }
}

/// Where the keyboard is, in the words of a screen reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Focus {
    /// The computed role, such as `button`.
    pub role: String,
    /// The accessible name.
    pub name: String,
}

impl Session {
    /// Presses keys together, each down after the one before, and lets go of them.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn press(&self, keys: &[Key]) -> Rig<()> {
        let event = |kind: &str, key: &Key| json!({"type": kind, "value": key.written()});
        let down = keys.iter().map(|key| event("keyDown", key));
        let up = keys.iter().rev().map(|key| event("keyUp", key));
        self.act(&down.chain(up).collect::<Vec<_>>())
    }

    /// Types a text where the keyboard is.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn type_text(&self, text: &str) -> Rig<()> {
        let event = |kind: &str, key: char| json!({"type": kind, "value": key});
        let keys = text.chars().flat_map(|key| [event("keyDown", key), event("keyUp", key)]);
        self.act(&keys.collect::<Vec<_>>())
    }

    fn act(&self, events: &[Value]) -> Rig<()> {
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": events});
        self.wire().post("/actions", &json!({"actions": [keyboard]})).map(drop)
    }

    /// Where the keyboard is.
    ///
    /// # Errors
    /// When it is nowhere on the page.
    pub fn focus(&self) -> Rig<Focus> {
        let active = self.wire().get("/element/active")?;
        let id = active.get(ELEMENT).map(plain).or_trouble("nothing has the focus")?;
        let ask = |what: &str| Ok(plain(&self.wire().get(&format!("/element/{id}/{what}"))?));
        Ok(Focus { role: ask("computedrole")?, name: ask("computedlabel")? })
    }

    /// Goes on by Tab until this has the focus, as somebody without a mouse does; answers what was
    /// passed on the way.
    ///
    /// # Errors
    /// When it is not reached within so many steps: with what was.
    pub fn tab_to(&self, role: &str, name: &str, steps_max: usize) -> Rig<Vec<Focus>> {
        let mut passed = Vec::new();
        for _ in 0..steps_max {
            self.press(&[Key::Tab])?;
            let focus = self.focus()?;
            if focus.role == role && focus.name == name {
                return Ok(passed);
            }
            passed.push(focus);
        }
        let what = format!("no {role} \"{name}\" within {steps_max} steps of Tab, but {passed:?}");
        None.or_trouble(&what)
    }
}
