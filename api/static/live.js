// A live page's additions to htmx: its freshness, a pause, focus that stays in its row, and the end of a row's tint.
// A screen reader announces only changes of state (live, stale, cut off, paused): no counter, and nothing of the rows.
"use strict";
(() => {
  const STALE_S = 5, PATIENCE_S = 5, AGAIN_MS = 2000, TINT_MS = 8000;
  const SIGNS = { live: "live", stale: "stale", cut: "offline", paused: "paused" };
  const shown = document.getElementById("langsung"), board = document.getElementById("papan");
  if (!shown || !board) return;
  const tag = shown.querySelector(".tag"), voice = shown.querySelector("[role=status]"), button = shown.querySelector("button");
  const waits = JSON.parse(shown.dataset.paused), plurals = new Intl.PluralRules(document.documentElement.lang);
  const loaded = Date.now(), tints = new WeakMap();
  let last = 0, cut = false, paused = false, waiting = 0, state = "", stream = null, held = null;

  function now(age_s) {
    if (!last) return Date.now() - loaded < 1000 * PATIENCE_S ? "" : "cut";
    if (cut) return "cut";
    if (paused) return "paused";
    return age_s < STALE_S ? "live" : "stale";
  }

  // The words of a state; those of a paused board are a list of plural forms, the singular first.
  function wordsOf(kind, n) {
    return kind === "paused" ? waits[plurals.select(n) === "one" ? 0 : waits.length - 1] : shown.dataset[kind];
  }

  // The words without their sign and their count.
  function spoken(kind) {
    const words = wordsOf(kind, waiting).replace(/^\S+ /, "");
    if (kind === "stale") return shown.dataset.read.replace("{moment}", words.replace("{n}", STALE_S));
    return kind === "paused" ? words.split(",")[0] : words;
  }

  function look() {
    const age_s = Math.floor((Date.now() - last) / 1000), kind = now(age_s);
    tag.hidden = !kind;
    if (!kind) return;
    const n = kind === "paused" ? waiting : age_s, text = wordsOf(kind, n).replace("{n}", n);
    if (tag.textContent !== text) tag.textContent = text;
    if (state === kind) return;
    state = kind;
    tag.className = "tag " + SIGNS[kind];
    voice.textContent = spoken(kind);
  }

  // A row that moves again has its tint and its mark for as long as one that moved once.
  function settle() {
    for (const row of board.querySelectorAll("tr.moved:not([data-since])")) {
      row.dataset.since = "1";
      clearTimeout(tints.get(row));
      tints.set(row, setTimeout(() => {
        row.classList.remove("moved");
        delete row.dataset.since;
        for (const mark of row.querySelectorAll(".mv")) mark.remove();
      }, TINT_MS));
    }
  }

  // Remember the focus before a message is drawn: its row or list, and its link there.
  function hold() {
    const focus = document.activeElement, place = focus && focus.closest("#papan, #papan [id]");
    held = place && { focus, id: place.id, href: focus.getAttribute("href"), at: controls(place).indexOf(focus) };
  }

  function controls(place) {
    return [...place.querySelectorAll("a, button")];
  }

  // A moved or replaced element loses the focus, and one whose link has changed is another: focus the former link again.
  function restore() {
    const active = document.activeElement, stays = held && active === held.focus;
    if (!held || (!stays && active !== document.body) || (stays && active.getAttribute("href") === held.href)) return;
    const place = document.getElementById(held.id), found = place ? controls(place) : [];
    const focus = found.find((one) => one.getAttribute("href") === held.href) || (stays ? active : found[held.at]);
    if (focus) focus.focus({ preventScroll: true });
  }

  // The first message of a stream is the whole table: it includes the changes that a pause held back.
  function reopen() {
    if (stream && stream.reader) stream.reader.cancel();
  }

  // A message shows that all is well; an open connection alone does not.
  document.addEventListener("htmx:sse:before:message", (event) => {
    last = Date.now();
    cut = false;
    if (!event.detail.message.event) {
      if (paused) {
        waiting += 1;
        event.detail.cancelled = true;
      } else {
        hold();
      }
    }
    look();
  });
  document.addEventListener("htmx:sse:after:message", (event) => {
    if (event.detail.message.event) return;
    restore();
    settle();
  });
  document.addEventListener("htmx:sse:after:connection", (event) => {
    stream = event.detail.connection;
  });
  for (const name of ["htmx:sse:error", "htmx:sse:close"]) {
    document.addEventListener(name, () => { cut = true; look(); });
  }
  // The extension reconnects only after a first connection; until then nothing else does.
  for (const name of ["htmx:error", "htmx:response:error"]) {
    board.addEventListener(name, () => {
      if (!stream) setTimeout(() => htmx.ajax("GET", board.getAttribute("hx-sse:connect"), { source: board }), AGAIN_MS);
    });
  }
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? button.dataset.go : button.dataset.pause;
    if (!paused && waiting) reopen();
    waiting = 0;
    look();
  });
  shown.hidden = false;
  setInterval(look, 1000);
  look();
})();
