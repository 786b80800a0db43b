// Deadlines count down between two looks at the server, by its clock and not by this machine's. Nothing
// here is read out: what stands beside is the time itself.
"use strict";
(() => {
  const words = document.getElementById("freshness")?.dataset;
  const asOf = document.getElementById("as-of");
  if (!words || !asOf) return;
  const SOON = 3600; // seconds, as on the server
  let ahead = 0;
  const set = () => { ahead = Date.parse(asOf.dateTime) - Date.now(); };
  const counted = (pattern, n) => pattern.replace(/\d+/, String(n));
  const span = (seconds) => {
    const [days, hours] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24];
    const parts = [
      [days, days === 1 ? words.day : words.days],
      [hours, words.hours],
      [Math.floor(seconds / 60) % 60, words.minutes],
      [seconds % 60, words.seconds],
    ];
    const first = parts.findIndex(([n]) => n > 0);
    if (first < 0) return counted(words.seconds, 0);
    const shown = parts.slice(first, first + 2).filter(([n]) => n > 0);
    return shown.map(([n, pattern]) => counted(pattern, n)).join(" ");
  };
  const tick = () => {
    const now = Date.now() + ahead;
    for (const one of document.querySelectorAll(".deadline[data-until]")) {
      const left = Math.floor((Number(one.dataset.until) - now) / 1000);
      const late = left < 0;
      one.classList.toggle("late", late);
      one.classList.toggle("soon", !late && left < SOON);
      const said = (late ? words.late : words.left).replace("{}", span(Math.abs(left)));
      const place = one.querySelector("strong");
      if (place && place.textContent !== said) place.textContent = said;
    }
  };
  set();
  document.addEventListener("beistand:fresh", () => { set(); tick(); });
  setInterval(tick, 1000);
})();
