//! One page that needs nothing else: no script, no font, no picture, readable in twenty years.

use std::collections::BTreeMap;

use super::{Document, happened, lane};
use crate::model::Mode;
use crate::timeline::TimelineEntry;
use crate::timeline::escape::visible;
use crate::timeline::export::{SCRIPT, block};
use crate::timeline::sentence::{Words, tlp, words};

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
@media (prefers-color-scheme:dark){.detail td{color:#aaa}}\
@media (max-width:40rem){td,th{display:block;border:0}tr{border-bottom:1px solid #888;display:block}}\
@media print{@page{size:A4;margin:15mm}body{color:#000;background:#fff;font-size:9pt;margin:0;max-width:none}\
#all,label[for=all]{display:none}thead{display:table-header-group}tr{break-inside:avoid}}";

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
    out.add(&format!(
        "<input type=\"checkbox\" id=\"all\"> <label for=\"all\">{}</label>\n<table>\n<thead><tr>",
        words.details
    ));
    for column in words.columns {
        out.add(&format!("<th scope=\"col\">{column}</th>"));
    }
    out.add("</tr></thead>\n");
    let mut heading = String::new();
    let mut told: BTreeMap<(&str, u64), u32> = BTreeMap::new();
    for line in lines {
        let local = document.zone.local(line.at, document.lang);
        let day = format!("{}, {}", local.date, local.zone);
        if day != heading {
            out.add(if heading.is_empty() { "" } else { "</tbody>\n" });
            out.add("<tbody>\n<tr><th scope=\"rowgroup\" colspan=\"4\">");
            out.add(&escape(&day));
            out.add("</th></tr>\n");
            heading = day;
        }
        let count = told.entry((&line.stream, line.seq)).or_default();
        *count += 1;
        row(&mut out, line, document, (&local.time, &anchor(line, *count)));
    }
    out.add(if heading.is_empty() { "</table>\n" } else { "</tbody>\n</table>\n" });
    if document.mode == Mode::Drill {
        out.add(&format!("<p class=\"drill\">{}</p>\n", words.drill));
    }
    chain(&mut out, document);
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
fn anchor(line: &TimelineEntry, count: u32) -> String {
    let entry = format!("e-{}-{}", line.stream.replace(':', "-"), line.seq);
    escape(&if count > 1 { format!("{entry}-{count}") } else { entry })
}

fn row(out: &mut Page, line: &TimelineEntry, document: &Document<'_>, (time, id): (&str, &str)) {
    let words = words(document.lang);
    let class = if line.detail { " class=\"detail\"" } else { "" };
    let kind = lane(line, document.lang);
    out.add(&format!("<tr{class}><td><time datetime=\"{}\">{time}</time>", line.at));
    if let Some(at) = happened(line) {
        let full = escape(&document.zone.local(at, document.lang).full());
        out.add(&format!(
            "<br><span class=\"more\">{} <time datetime=\"{at}\">{full}</time></span>",
            words.happened
        ));
    }
    out.add(&format!("</td><td>{kind}</td><td>{}", escape(&line.text)));
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
fn chain(out: &mut Page, document: &Document<'_>) {
    let Some(chain) = document.chain else { return };
    let text = block(chain, &[&out.0, END].concat());
    out.add(&format!("{SCRIPT}{text}</script>\n"));
}

/// A text that is text in HTML, also between quotes.
fn escape(text: &str) -> String {
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
