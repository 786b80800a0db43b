//! One page that needs nothing else: no script, no font, no picture, readable in twenty years. Its
//! lanes are drawn; what the drawing shows, the table below it says in words.

use super::drawing::drawing;
use super::{About, Document, recorded};
use crate::model::Mode;
use crate::timeline::escape::visible;
use crate::timeline::export::{SCRIPT, block};
use crate::timeline::review::{Layout, review};
use crate::timeline::sentence::{Words, tlp, words};
use crate::timeline::{Filter, Persons, TimelineEntry};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.45 system-ui,sans-serif;margin:1rem auto;max-width:75rem;padding:0 1rem}\
h1{font-size:1.5rem;overflow-wrap:anywhere}\
table{border-collapse:collapse;width:100%}\
th,td{border-bottom:1px solid #888;padding:.3rem .5rem;text-align:left;vertical-align:top}\
td{overflow-wrap:anywhere}\
td:first-child,td:last-child{white-space:nowrap}\
th[scope=rowgroup]{font-size:1.1rem;padding-top:1rem}\
.value,.seal,.more{font-size:.85rem}\
.value{white-space:pre-wrap;margin:.2rem 0 0}\
.drill{border:.3rem double;font-size:1.3rem;font-weight:bold;padding:.5rem;text-align:center}\
.detail td{color:#666}\
#all:not(:checked)~table .detail{display:none}\
.lanes{display:block;width:100%;height:auto;margin:1rem 0;font-size:11px}\
.lanes text,.lanes circle{fill:currentColor}\
.lanes line,.lanes path{stroke:currentColor;fill:none}\
.lanes .tick,.lanes .edge{stroke:#888;stroke-width:.5}\
.lanes .gap rect{fill:#888;fill-opacity:.25}\
.lanes .down rect{fill:none;stroke:currentColor;stroke-dasharray:2 1}\
.lanes .bar rect{fill:#1f6fb2;fill-opacity:.55;stroke:#1f6fb2}\
.lanes .need rect{fill-opacity:.15}.lanes .hold rect{fill:#8a5a00;stroke:#8a5a00}\
.lanes .run rect{fill-opacity:.2}\
.lanes .badly rect{stroke:#c00;stroke-width:2}.lanes .unknown rect{stroke:#c00;stroke-dasharray:3 2}\
.lanes .gone rect{fill-opacity:0}.lanes .lasts rect{stroke-dasharray:1 2}\
.lanes .on{stroke-width:2}.lanes .due line{stroke-dasharray:4 3}\
.lanes .missed line,.lanes .missed path{stroke:#c00}.lanes .missed path{fill:#c00}\
.lanes .failed{stroke:#c00;stroke-width:2}.lanes .star{fill:currentColor}\
.mark{font-weight:bold}\
@media (prefers-color-scheme:dark){.detail td{color:#aaa}\
.lanes .bar rect{fill:#6db3f2;stroke:#6db3f2}.lanes .hold rect{fill:#e0a030;stroke:#e0a030}\
.lanes .badly rect,.lanes .unknown rect,.lanes .missed line,.lanes .missed path,.lanes .failed{stroke:#ff6b6b}}\
@media (forced-colors:active){.lanes *{stroke:CanvasText;forced-color-adjust:none}\
.lanes text,.lanes circle{fill:CanvasText;stroke:none}.lanes .bar rect{fill:Highlight}\
.lanes .gone rect,.lanes .need rect{fill:Canvas}.detail td{color:GrayText}}\
@media (max-width:40rem){td,th{display:block;border:0}tr{border-bottom:1px solid #888;display:block}}\
@media print{@page{size:A4;margin:15mm}body{color:#000;background:#fff;font-size:9pt;margin:0;max-width:none}\
#all,label[for=all]{display:none}thead{display:table-header-group}tr{break-inside:avoid}}";

/// Characters of a filter that are shown; the whole stands in the chain's block.
const FILTER_CHARS_MAX: usize = 1_000;

/// How a page ends.
const END: &str = "</body>\n</html>\n";

/// A page being written. What is added is markup: texts have been through [`escape`].
struct Page(String);

impl Page {
    fn add(&mut self, markup: &str) {
        self.0.push_str(markup);
    }
}

/// The lines as one self-contained page. Details can be shown without any script; on paper they
/// stand only if they were shown.
pub fn html(lines: &[TimelineEntry], document: &Document<'_>) -> String {
    let words = words(document.lang);
    let title = escape(&visible(document.title, 200));
    let mut out = Page(String::with_capacity(4096 + lines.len() * 256));
    out.add("<!DOCTYPE html>\n<html lang=\"");
    out.add(document.lang.as_str());
    out.add("\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.add("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    out.add("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    let drill = match document.mode {
        Mode::Live => String::new(),
        Mode::Drill => format!("{} · ", words.drill),
    };
    out.add(&format!("<title>{drill}{} · {title}</title>\n", words.timeline));
    out.add(&format!("<style>{STYLE}</style>\n</head>\n<body>\n"));
    header(&mut out, lines.len(), document, (&title, words));
    let layout = Layout { lang: document.lang, zone: document.zone, now: document.as_of };
    if let Some(review) = review(lines, &layout) {
        out.add(&drawing(&review));
    }
    out.add(&format!(
        "<input type=\"checkbox\" id=\"all\"> <label for=\"all\">{}</label>\n<table>\n<thead><tr>",
        words.details
    ));
    for column in words.columns {
        out.add(&format!("<th scope=\"col\">{column}</th>"));
    }
    out.add("</tr></thead>\n");
    let mut heading = String::new();
    for line in lines {
        let local = document.zone.local(line.when(), document.lang);
        let day = format!("{}, {}", local.date, local.zone);
        if day != heading {
            out.add(if heading.is_empty() { "" } else { "</tbody>\n" });
            out.add("<tbody>\n<tr><th scope=\"rowgroup\" colspan=\"4\">");
            out.add(&escape(&day));
            out.add("</th></tr>\n");
            heading = day;
        }
        row(&mut out, line, document, (&local.time, &anchor(line)));
    }
    out.add(if heading.is_empty() { "</table>\n" } else { "</tbody>\n</table>\n" });
    if document.mode == Mode::Drill {
        out.add(&format!("<p class=\"drill\">{}</p>\n", words.drill));
    }
    chain(&mut out, lines, document);
    out.add(END);
    out.0
}

fn header(out: &mut Page, count: usize, document: &Document<'_>, (title, words): (&str, &Words)) {
    if document.mode == Mode::Drill {
        out.add(&format!("<p class=\"drill\">{}</p>\n", words.drill));
    }
    let as_of = escape(&document.zone.local(document.as_of, document.lang).full());
    let marking = escape(&tlp(document.tlp));
    out.add(&format!("<h1>{} · {title}</h1>\n", words.timeline));
    out.add(&format!("<p>{marking} · {} {as_of} · {count} {}</p>\n", words.as_of, words.lines));
    let query = document.filter.map(Filter::to_query).filter(|query| !query.is_empty());
    let mut parts = vec![format!("{} {}", words.zone, document.zone)];
    parts.extend(
        query.map(|query| format!("{} {}", words.filter, visible(&query, FILTER_CHARS_MAX))),
    );
    parts.extend((document.persons == Persons::Numbered).then(|| words.numbered.to_owned()));
    out.add(&format!("<p>{}</p>\n", escape(&parts.join(" · "))));
    let seal = document.chain.and_then(|chain| chain.seal.as_ref());
    match seal {
        Some(seal) => {
            let at = escape(&document.zone.local(seal.at, document.lang).full());
            let hash = seal.hash.hex();
            out.add(&format!(
                "<p class=\"seal\">{} {}, {at}: <code>{hash}</code></p>\n",
                words.seal, seal.seq
            ));
        }
        None => out.add(&format!("<p class=\"seal\">{}</p>\n", words.no_seal)),
    }
}

/// A name that this line has on every page it ever stands on.
fn anchor(line: &TimelineEntry) -> String {
    let entry = format!("e-{}-{}", line.stream.replace(':', "-"), line.seq);
    escape(&if line.event > 1 { format!("{entry}-{}", line.event) } else { entry })
}

fn row(out: &mut Page, line: &TimelineEntry, document: &Document<'_>, (time, id): (&str, &str)) {
    let words = words(document.lang);
    let class = if line.detail { " class=\"detail\"" } else { "" };
    let kind = line.lane.said(document.lang);
    out.add(&format!("<tr{class}><td><time datetime=\"{}\">{time}</time>", line.when()));
    if let Some(at) = recorded(line) {
        let full = escape(&document.zone.local(at, document.lang).full());
        out.add(&format!(
            "<br><span class=\"more\">{} <time datetime=\"{at}\">{full}</time></span>",
            words.recorded
        ));
    }
    out.add(&format!("</td><td>{kind}</td><td>"));
    if line.starred_by.is_some() {
        out.add(&format!("<span class=\"mark\">★ {}</span> ", words.starred));
    }
    let text = escape(&line.text);
    if line.corrected_by.is_some() {
        out.add(&format!("<span class=\"mark\">{}:</span> <del>{text}</del>", words.corrected));
    } else {
        out.add(&text);
    }
    if let Some(organisation) = &line.organisation {
        out.add(&format!(" <span class=\"more\">({})</span>", escape(organisation.as_str())));
    }
    if let Some(value) = &line.value {
        let value = escape(&visible(&value.to_string(), usize::MAX));
        out.add(&format!("<p class=\"value\">{value}</p>"));
    }
    let short = line.stream.split('-').next().unwrap_or_default();
    out.add(&format!(
        "</td><td class=\"more\"><a href=\"#{id}\" id=\"{id}\">{} {}</a></td></tr>\n",
        escape(short),
        line.seq
    ));
}

/// Binds the rest of the page too: what stands before it, and the end.
fn chain(out: &mut Page, lines: &[TimelineEntry], document: &Document<'_>) {
    let Some(chain) = document.chain else { return };
    let about = About::of(lines, document);
    let text = block(chain, about, &[&out.0, END].concat());
    out.add(&format!("{SCRIPT}{text}</script>\n"));
}

/// A text that is text in HTML, also between quotes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
