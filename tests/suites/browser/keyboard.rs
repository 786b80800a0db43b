//! Without a mouse: from a link to a timeline, and at every stop one sees where one is.

use beistand_tests::browser::{Focus, Key, Look, Session};
use serde_json::{Value, json};

use super::night::Night;

/// Stops until something is reached: a page has fewer.
const STOPS_MAX: usize = 90;

/// What is wrong with the place where the keyboard is: nothing, or that it is not marked, or that nothing
/// of it is to be seen (WCAG 2.2, 2.4.7 and 2.4.11).
const UNSEEN: &str = "
const here = document.activeElement;
if (!here || here === document.body) return 'nowhere';
const near = [here, here.parentElement, here.nextElementSibling, here.closest('label')].filter(Boolean);
const marks = () => near.map((one) => {
    const style = getComputedStyle(one);
    return [style.outlineStyle, style.outlineWidth, style.boxShadow, style.borderColor].join();
}).join();
const marked = marks();
here.blur();
const plain = marks();
here.focus({preventScroll: true, focusVisible: true});
const name = here.outerHTML.slice(0, 160);
if (marked === plain) return 'not marked: ' + name;
const {left, right, top, bottom} = here.getBoundingClientRect();
const points = [[(left + right) / 2, (top + bottom) / 2], [left + 2, top + 2], [right - 2, bottom - 2]];
const seen = points.some(([x, y]) => {
    const hit = document.elementFromPoint(x, y);
    return hit && (hit.contains(here) || near.some((one) => one.contains(hit) && one !== document.body));
});
return seen ? null : 'hidden: ' + name;
";

/// How many approvals stand before one.
const BEFORE: &str = "
const links = [...document.querySelectorAll('.need-approval > a')];
return links.findIndex((link) => link.href.endsWith(arguments[0]));
";

/// Somebody at the keyboard.
struct Hands<'a>(&'a Session);

impl Hands<'_> {
    /// One stop on, or back.
    fn step(&self, keys: &[Key]) -> Focus {
        self.0.press(keys).unwrap();
        let url = self.0.url().unwrap();
        assert_eq!(self.0.run(UNSEEN, &json!([])).unwrap(), Value::Null, "{url}");
        self.0.focus().unwrap()
    }

    /// On until something has the focus.
    fn to(&self, role: &str, name: &str) {
        let mut passed = Vec::new();
        for _ in 0..STOPS_MAX {
            let focus = self.step(&[Key::Tab]);
            if focus.role == role && focus.name.contains(name) {
                return;
            }
            passed.push(focus);
        }
        panic!("no {role} {name} at {}: {passed:#?}", self.0.url().unwrap());
    }

    /// On to something, and there in.
    fn press(&self, role: &str, name: &str) {
        self.to(role, name);
        self.0.press(&[Key::Enter]).unwrap();
    }

    fn write(&self, name: &str, text: &str) {
        self.to("textbox", name);
        self.0.type_text(text).unwrap();
    }

    /// Past what stands on every page.
    fn past(&self) {
        self.press("link", "Skip to the content");
    }

    /// A page is there.
    fn at(&self, title: &str) {
        self.0.wait_for_text("h1", title).unwrap();
    }
}

#[test]
fn by_the_keyboard_alone_a_run_is_launched_approved_noted_and_read_and_one_sees_where_one_is() {
    let night = Night::new();
    let english = Look { language: "en", ..Look::default() };
    let [window, other] = ["cleo", "ben"].map(|who| night.house.window(who, &english));
    let (cleo, ben) = (Hands(&window), Hands(&other));
    window.go(&night.url("/")).unwrap();
    cleo.press("link", "Declare an incident");
    cleo.at("Declare");
    window.type_text("Smoke over the harbour").unwrap();
    assert_eq!(cleo.step(&[Key::Tab]).role, "radio");
    // Live stands first; the arrow chooses the drill.
    window.press(&[Key::Space]).unwrap();
    cleo.step(&[Key::Right]);
    cleo.press("button", "Declare an incident");
    cleo.at("Smoke over the harbour");

    cleo.past();
    cleo.press("link", "Launch a playbook");
    cleo.at("Playbooks");
    cleo.past();
    cleo.press("link", "Hosts are cut off");
    cleo.at("Hosts are cut off");
    cleo.past();
    cleo.press("link", "Launch");
    cleo.at("Launch");
    cleo.past();
    cleo.write("hosts", "pc-1");
    cleo.press("button", "Go on");
    cleo.at("Before the launch");
    cleo.past();
    if window.count("[name=by_hand_ok]").unwrap() > 0 {
        cleo.to("checkbox", "by hand");
        window.press(&[Key::Space]).unwrap();
    }
    cleo.press("button", "Launch it now: drill");
    cleo.at("Hosts are cut off");
    let run = window.url().unwrap();
    let run = run.split(['?', '/']).rfind(|part| part.len() > 30).unwrap();
    let gate = night.house.need(run, "approval");

    other.go(&night.url("/")).unwrap();
    ben.past();
    let before = other.run(BEFORE, &json!([gate["id"]])).unwrap().as_u64().unwrap();
    (0..=before).for_each(|_| ben.to("link", "Approval"));
    other.press(&[Key::Enter]).unwrap();
    other.wait_for_text("main", "Smoke over the harbour").unwrap();
    ben.past();
    ben.write("Reason", "I looked at it");
    ben.press("button", "Approve");
    other.wait_for_text(".done", "Your answer is written down").unwrap();

    cleo.press("link", &window.text(".identity a").unwrap());
    cleo.at("Smoke over the harbour");
    cleo.past();
    cleo.write("What happened, or was decided?", "Seen from the quay");
    cleo.press("button", "Write it down");
    window.wait_for_text(".lines", "Seen from the quay").unwrap();
    // Back, too: what stays at the top of the window hides nothing.
    cleo.to("button", "Log out");
    (0..40).for_each(|_| drop(cleo.step(&[Key::Shift, Key::Tab])));

    window.reload().unwrap();
    cleo.past();
    cleo.press("link", "Timeline");
    cleo.at("Timeline");
    cleo.past();
    cleo.press("DisclosureTriangle", "Filter");
    cleo.to("searchbox", "");
    window.type_text("quay").unwrap();
    cleo.press("button", "Filter");
    window.wait_for_text("#timeline [role=status]", "1 ").unwrap();
    assert!(window.text("#timeline tbody").unwrap().contains("Seen from the quay"));
}
