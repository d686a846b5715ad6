// What a page that moves adds to htmx: how fresh it is, a pause, and the end of a row's tint.
"use strict";
(() => {
  const STALE_S = 5, TINT_MS = 8000;
  const shown = document.getElementById("langsung");
  if (!shown) return;
  const tag = shown.querySelector(".tag"), button = shown.querySelector("button");
  let last = 0, cut = true, paused = false, waiting = 0;

  function say(kind, n) {
    const text = shown.dataset[kind].replace("{n}", n);
    const known = { live: "live", stale: "stale", cut: "offline", paused: "paused" }[kind];
    if (tag.textContent !== text) tag.textContent = text;
    tag.className = "tag " + known;
  }

  function look() {
    const age = Math.floor((Date.now() - last) / 1000);
    if (cut) say("cut", 0);
    else if (paused) say("paused", waiting);
    else say(age < STALE_S ? "live" : "stale", age);
  }

  function settle() {
    for (const row of document.querySelectorAll("tr.moved:not([data-since])")) {
      row.dataset.since = "1";
      setTimeout(() => {
        row.classList.remove("moved");
        delete row.dataset.since;
        for (const mark of row.querySelectorAll(".mv")) mark.remove();
      }, TINT_MS);
    }
  }

  document.addEventListener("htmx:sse:before:message", (event) => {
    last = Date.now();
    if (paused && !event.detail.message.event) {
      waiting += 1;
      event.detail.cancelled = true;
    }
    look();
  });
  document.addEventListener("htmx:sse:after:message", settle);
  document.addEventListener("htmx:sse:after:connection", () => { cut = false; last = Date.now(); look(); });
  for (const name of ["htmx:sse:error", "htmx:sse:close"]) {
    document.addEventListener(name, () => { cut = true; look(); });
  }
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? button.dataset.go : button.dataset.pause;
    button.setAttribute("aria-pressed", String(paused));
    if (!paused && waiting) location.reload();
    waiting = 0;
    look();
  });
  shown.hidden = false;
  setInterval(look, 1000);
  look();
})();
