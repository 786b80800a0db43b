// What was found is of the text that was last heard of; where the server was not heard, the page says so.
"use strict";
(() => {
  const summary = document.getElementById("check-summary");
  const found = document.getElementById("checked");
  if (!summary || !found) return;
  const failed = () => {
    summary.textContent = summary.dataset.failed;
    found.replaceChildren();
  };
  for (const event of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(event, failed);
  }
})();
