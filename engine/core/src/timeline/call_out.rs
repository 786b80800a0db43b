//! The mail that calls somebody on call: what waits, since and until when, and how to answer it by
//! telephone. It holds no secret and no argument of an effect; of an incident for few eyes it holds
//! no title either.

use std::collections::BTreeSet;

use super::entry::Lang;
use super::escape::visible;
use super::format::Zone;
use super::run::NAME_CHARS_MAX;
use super::sentence::{need as kind_word, need_title, role as role_word};
use crate::model::{Digest, Millis, Mode, NeedCode, NeedId, Path, Person, Role, Tlp};
use crate::on_call::CallOutStep;
use crate::run::NeedKind;

/// So many things are listed in a mail; the others are counted.
pub const CALLED_TO_LISTED_MAX: usize = 20;

/// So many incidents are named in a subject.
const NUMBERS_MAX: usize = 3;

/// Characters of a title that are shown.
const TITLE_CHARS_MAX: usize = 160;

/// Characters of a subject: two lines of a list of mails.
const SUBJECT_CHARS_MAX: usize = 200;

/// What a mail says.
#[derive(Debug, Clone)]
pub struct CallOutMail {
    /// Real or not.
    pub mode: Mode,
    /// Who is called.
    pub person: Person,
    /// To what, the most urgent first; never empty.
    pub parts: Vec<CallOutPart>,
    /// Where somebody at a keyboard is reached.
    pub telephone: Option<String>,
}

/// What waits in one incident, for one role and for one reason.
#[derive(Debug, Clone)]
pub struct CallOutPart {
    /// The incident's number.
    pub number: String,
    /// Who may read of it.
    pub tlp: Tlp,
    /// As what they are called.
    pub role: Role,
    /// Why.
    pub step: CallOutStep,
    /// To what, oldest first.
    pub needs: Vec<CalledTo>,
}

/// One thing that waits.
#[derive(Debug, Clone)]
pub struct CalledTo {
    /// Its id.
    pub id: NeedId,
    /// What is asked.
    pub kind: NeedKind,
    /// At which step; the run itself where absent.
    pub step: Option<Path>,
    /// What it is about: the title of its step, or of the run.
    pub title: String,
    /// What an answer is bound to.
    pub digest: Option<Digest>,
    /// Since when.
    pub since: Millis,
    /// When it is escalated.
    pub until: Option<Millis>,
}

/// The words of one language.
struct Words {
    waits: &'static str,
    escalated_to: &'static str,
    some_escalated: &'static str,
    hello: &'static str,
    as_role: &'static str,
    drill: &'static str,
    since: &'static str,
    until: &'static str,
    code: &'static str,
    spoken: &'static str,
    and_more: &'static str,
    answer: &'static str,
    telephone: &'static str,
    desk: &'static str,
    colleague: &'static str,
    steps: &'static str,
}

const DE: Words = Words {
    waits: "wartet auf",
    escalated_to: "eskaliert an",
    some_escalated: "darunter Eskaliertes",
    hello: "Bereitschaft",
    as_role: "als",
    drill: "Dies ist eine Übung.",
    since: "seit",
    until: "bis",
    code: "Kennung",
    spoken: "in Worten",
    and_more: "und weitere offene Punkte:",
    answer: "Antworten",
    telephone: "Am Telefon",
    desk: "Rufnummer des Stabs",
    colleague: "Rufen Sie im Stab an, wo jemand an der Tastatur sitzt.",
    steps: "1. Nennen Sie die Kennung.\n\
            2. Lassen Sie sich die sechs Worte vorlesen. Stimmen sie nicht mit den Worten in dieser\n   \
               Mail überein, sagen Sie nein.\n\
            3. Nennen Sie Ihr Konto und lesen Sie Nummer und Zeichen eines unbenutzten Codes von Ihrem\n   \
               gedruckten Bogen vor. Danach ist er verbraucht.\n\
            Auf diese Mail zu antworten bewirkt nichts.",
};

const EN: Words = Words {
    waits: "waits for the",
    escalated_to: "escalated to the",
    some_escalated: "some of it escalated",
    hello: "On call",
    as_role: "as",
    drill: "This is a drill.",
    since: "since",
    until: "until",
    code: "code",
    spoken: "in words",
    and_more: "and more that waits:",
    answer: "Answer",
    telephone: "By telephone",
    desk: "number of the desk",
    colleague: "Call the desk, where somebody sits at a keyboard.",
    steps: "1. Say the code.\n\
            2. Have the six words read aloud to you. Where they are not the words of this mail, say no.\n\
            3. Say your account, and read out number and letters of an unused code of your printed\n   \
               sheet. It is used up by it.\n\
            An answer to this mail does nothing.",
};

impl CallOutMail {
    /// The subject, on one line. That it is a drill is written before it by the drill's relay.
    pub fn subject(&self, lang: Lang) -> String {
        let words = words(lang);
        let needs: Vec<&CalledTo> = self.needs().collect();
        let what = match needs.as_slice() {
            [one] => kind_word(lang, one.kind).to_owned(),
            many => format!("{}× {}", many.len(), common_word(lang, many)),
        };
        let why: BTreeSet<String> = self.parts.iter().map(|part| part.why(lang)).collect();
        let escalated = self.parts.iter().any(|part| part.step == CallOutStep::Escalated);
        let why = match (why.first(), why.len(), escalated) {
            (Some(one), 1, _) => format!(", {one}"),
            (_, _, true) => format!(", {}", words.some_escalated),
            (_, _, false) => String::new(),
        };
        visible(&format!("{}: {what}{why}", self.numbers()), SUBJECT_CHARS_MAX)
    }

    /// The numbers of the incidents, each once; those beyond a few are counted.
    fn numbers(&self) -> String {
        let mut numbers: Vec<&str> = Vec::new();
        for part in &self.parts {
            if !numbers.contains(&part.number.as_str()) {
                numbers.push(&part.number);
            }
        }
        let more = numbers.len().saturating_sub(NUMBERS_MAX);
        numbers.truncate(NUMBERS_MAX);
        let named = numbers.join(", ");
        if more > 0 { format!("{named} +{more}") } else { named }
    }

    /// Each thing that waits once.
    fn needs(&self) -> impl Iterator<Item = &CalledTo> {
        let mut seen = BTreeSet::new();
        let all = self.parts.iter().flat_map(|part| &part.needs);
        all.filter(move |need| seen.insert(need.id))
    }

    /// The text.
    pub fn text(&self, lang: Lang, zone: Zone) -> String {
        let words = words(lang);
        let roles: BTreeSet<&str> =
            self.parts.iter().map(|one| role_word(lang, one.role)).collect();
        let mut lines = vec![format!(
            "{}: {} {} {}",
            words.hello,
            visible(self.person.as_str(), NAME_CHARS_MAX),
            words.as_role,
            roles.into_iter().collect::<Vec<_>>().join(", ")
        )];
        if self.mode == Mode::Drill {
            lines.push(words.drill.to_owned());
        }
        lines.push(String::new());
        let mut listed = BTreeSet::new();
        for part in &self.parts {
            if listed.len() >= CALLED_TO_LISTED_MAX {
                break;
            }
            if self.parts.len() > 1 {
                lines.push(format!(
                    "{}: {}",
                    visible(&part.number, NAME_CHARS_MAX),
                    part.why(lang)
                ));
            }
            for need in &part.needs {
                if listed.len() < CALLED_TO_LISTED_MAX && listed.insert(need.id) {
                    part.listed(need, (lang, zone), &mut lines);
                }
            }
        }
        let more = self.needs().count().saturating_sub(listed.len());
        if more > 0 {
            lines.push(format!("{} {more}", words.and_more));
            lines.push(String::new());
        }
        let one = self
            .parts
            .first()
            .filter(|first| self.parts.iter().all(|part| part.number == first.number));
        let only = one.map(|part| format!(" --incident {}", part.number)).unwrap_or_default();
        lines.push(format!("{}: beistand needs{only}", words.answer));
        lines.push(String::new());
        lines.push(format!("{}: {}", words.telephone, words.colleague));
        if let Some(telephone) = &self.telephone {
            lines.push(format!("{}: {}", words.desk, visible(telephone, NAME_CHARS_MAX)));
        }
        lines.push(words.steps.to_owned());
        lines.join("\n") + "\n"
    }
}

impl CallOutPart {
    /// That it waits for whom, or was escalated to whom.
    fn why(&self, lang: Lang) -> String {
        let words = words(lang);
        let verb = match self.step {
            CallOutStep::Opened => words.waits,
            CallOutStep::Escalated => words.escalated_to,
        };
        format!("{verb} {}", role_word(lang, self.role))
    }

    fn listed(&self, need: &CalledTo, (lang, zone): (Lang, Zone), lines: &mut Vec<String>) {
        let words = words(lang);
        let kind = kind_word(lang, need.kind);
        let title = match self.tlp {
            Tlp::Clear | Tlp::Green | Tlp::Amber | Tlp::AmberStrict => {
                let title = need_title(lang, (need.kind, need.step.as_ref()), &need.title);
                format!(": {}", visible(&title, TITLE_CHARS_MAX))
            }
            Tlp::Red => String::new(),
        };
        lines.push(format!("- {kind}{title}"));
        let until = need.until.map(|at| format!(", {} {}", words.until, zone.shown(at)));
        let since = zone.shown(need.since);
        lines.push(format!("  {} {since}{}", words.since, until.unwrap_or_default()));
        lines.push(format!(
            "  {} {} ({})",
            words.code,
            NeedCode::of(need.id, need.digest),
            need.id
        ));
        if let (NeedKind::Approval, Some(digest)) = (need.kind, need.digest) {
            lines.push(format!("  {}: {}", words.spoken, digest.spoken()));
        }
        lines.push(String::new());
    }
}

const fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::De => &DE,
        Lang::En => &EN,
    }
}

/// What several things are called together: by their kind, where they have one.
fn common_word(lang: Lang, needs: &[&CalledTo]) -> &'static str {
    let first = needs.first().map(|need| need.kind);
    match (first.filter(|kind| needs.iter().all(|need| need.kind == *kind)), lang) {
        (Some(kind), _) => kind_word(lang, kind),
        (None, Lang::De) => "offene Punkte",
        (None, Lang::En) => "things",
    }
}
