// Keeps a page fresh, and says so when it is not. Without it a page is what it was when it was loaded,
// and says that too.
//
//   news or a sign of life ─► the page is asked for anew ─► its live regions are morphed
//   silence ─► "old" stands there within ten seconds, until something is heard again
"use strict";
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
(() => {
  const line = document.getElementById("freshness");
  if (!line || !window.fetch || !window.ReadableStream) return;
  const state = line.querySelector(".fresh-state");
  const asOf = document.getElementById("as-of");
  const SILENCE = 8000; // signs of life come every five seconds
  const AGAIN = 2000;
  const GATHER = 300; // what comes in one breath is one look
  let heard = Date.now();
  let cursor = null;
  let over = false;
  let looking = false;
  let wanted = false;
  let timer = null;

  const say = (kind, text) => {
    if (line.dataset.state === kind) return;
    line.dataset.state = kind;
    line.classList.toggle("live", kind === "live");
    line.classList.toggle("lost", kind !== "live");
    state.textContent = text;
  };
  const lost = () => say(over ? "over" : "lost", over ? line.dataset.over : line.dataset.lost);

  // Who hears the page is told of what is new, once: not of each renewal.
  const announcer = document.getElementById("announcer");
  const spoken = () => [...document.querySelectorAll("[data-announce]")].map((one) => one.dataset.announce);
  let told = new Set(spoken());
  const announce = (now) => {
    const news = now.filter((one) => !told.has(one));
    told = new Set(now);
    if (news.length > 0) announcer.textContent = news.join(". ");
  };

  // What morphs is loaded when there is something to morph: over a thin line it would hold up the page.
  let loaded = null;
  const morpher = () => loaded ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.onload = done;
    script.onerror = () => { loaded = null; script.remove(); fail(); };
    script.src = line.dataset.morph;
    document.head.append(script);
  });

  // What somebody unfolded stays so, and what they are typing into is theirs.
  const folds = (name, node) => name === "open" && node.tagName === "DETAILS";
  const callbacks = { beforeAttributeUpdated: (name, node) => !folds(name, node) };
  const MORPHING = { morphStyle: "outerHTML", ignoreActiveValue: true, callbacks };

  const refresh = async () => {
    if (looking) { wanted = true; return; }
    looking = true;
    try {
      await morpher();
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect" || answer.status === 401) { over = true; lost(); return; }
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const region of document.querySelectorAll("[data-live-region]")) {
        const next = fresh.getElementById(region.id);
        if (next) Idiomorph.morph(region, next, MORPHING);
      }
      const stamp = fresh.getElementById("as-of");
      if (stamp) { asOf.dateTime = stamp.dateTime; asOf.textContent = stamp.textContent; }
      announce(spoken());
      document.dispatchEvent(new CustomEvent("beistand:fresh"));
    } catch { /* the silence says it */ } finally {
      looking = false;
      if (wanted) { wanted = false; refresh(); }
    }
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(refresh, GATHER); };

  const listen = async () => {
    const headers = cursor === null ? {} : { "Last-Event-ID": cursor };
    const answer = await fetch(line.dataset.events, { credentials: "same-origin", cache: "no-store", headers });
    if (answer.status === 401) { over = true; return; }
    if (!answer.ok || !answer.body) return;
    if (line.dataset.state === "lost") soon();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard = Date.now();
      say("live", line.dataset.live);
      rest += value;
      const blocks = rest.split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const id = /^id: ?(.*)$/m.exec(block);
        if (id) cursor = id[1];
        if (/^data:/m.test(block)) soon();
      }
    }
  };
  const forever = async () => {
    while (!over) {
      try { await listen(); } catch { /* it is tried again */ }
      if (!over) await new Promise((later) => setTimeout(later, AGAIN));
    }
    lost();
  };

  setInterval(() => { if (Date.now() - heard > SILENCE) lost(); }, 1000);
  // What only time changes is looked at once a minute.
  setInterval(() => { if (line.dataset.state === "live") refresh(); }, 60000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
  forever();
})();
