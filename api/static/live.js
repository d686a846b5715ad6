// A live page's additions to htmx: its freshness, a pause, focus that stays in its row, rows that keep their order under a
// pointer, and the end of a row's tint. A screen reader announces only changes of state (live, not up to date, stale, cut
// off, paused): no counter, and nothing of the rows.
"use strict";
(() => {
  const STALE_S = 5, PATIENCE_S = 5, AGAIN_MS = 2000, TINT_MS = 8000, CLICK_MS = 400;
  const SIGNS = { live: "live", behind: "stale", stale: "stale", cut: "offline", paused: "paused" };
  const AWAY = ["stale", "cut"], ROW = "tr[id]", FEED = "#baru-isi";
  const LISTED = /<hx-partial hx-target="#baru-isi".*?<\/hx-partial>/s;
  const shown = document.getElementById("langsung"), board = document.getElementById("papan");
  const reading = document.getElementById("dibaca"), order = document.getElementById("urutan");
  if (!shown || !board) return;
  const tag = shown.querySelector(".tag"), voice = shown.querySelector("[role=status]"), button = shown.querySelector("button");
  const waits = JSON.parse(shown.dataset.paused), plurals = new Intl.PluralRules(document.documentElement.lang);
  const loaded = Date.now(), tints = new WeakMap();
  let last = 0, cut = false, paused = false, waiting = 0, state = "", stream = null, held = null;
  let pressed = null, owing = false;

  function now(age_s) {
    if (!last) return Date.now() - loaded < 1000 * PATIENCE_S ? "" : "cut";
    if (cut) return "cut";
    if (paused) return "paused";
    if (age_s >= STALE_S) return "stale";
    return isBehind() ? "behind" : "live";
  }

  // The server says of the figures on the page that they do not count all that is recorded.
  function isBehind() {
    return Boolean(reading.querySelector("[data-behind]"));
  }

  // Figures that may be out of date fade, and the page says up to when they are known.
  function date(kind) {
    const upto = reading.querySelector(".upto"), away = AWAY.includes(kind);
    reading.parentElement.classList.toggle("old", away || isBehind());
    upto.dataset.read ??= upto.textContent;
    const text = away && !isBehind() ? upto.dataset.upto : upto.dataset.read;
    if (upto.textContent !== text) upto.textContent = text;
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
    date(kind);
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
    const focus = document.activeElement, place = focus && focus.closest("#papan, #papan :is(tr[id], aside, #baru-isi)");
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

  // A finger or a button is down on such a place of the board, or a pointer that hovers is over one.
  function touched(places) {
    if (pressed) return !pressed.isConnected || pressed.closest(places) !== null;
    return matchMedia("(hover: hover)").matches && [...board.querySelectorAll(places)].some((one) => one.matches(":hover"));
  }

  function release() {
    if (!owing || touched(`${ROW}, ${FEED}`)) return;
    owing = false;
    order.hidden = true;
    if (!paused) reopen();
  }

  // The rows and the titles between them, in their order.
  function rowsOf(place) {
    return [...place.querySelectorAll("tbody tr")].map((row) => row.id || row.textContent).join();
  }

  function selected(place) {
    const option = place.querySelector("#periode option[selected]");
    return option && option.value;
  }

  function into(place) {
    return `<hx-partial hx-target="#${place.id}" hx-swap="outerMorph">${place.outerHTML}</hx-partial>`;
  }

  // What a pointer is on does not move away: figures go to the rows where they are, and the order of the rows waits, as
  // does the list of entries. A board of another period is not mixed with this one: it waits for a finger that is down.
  function inPlace(html) {
    const message = document.createElement("template");
    message.innerHTML = html;
    const period = selected(message.content), parts = [...message.content.querySelectorAll("hx-partial")];
    const whole = parts.find((part) => part.getAttribute("hx-target") === "#papan");
    const turns = whole && period && period !== selected(document);
    const sorts = whole && touched(ROW) && rowsOf(whole) !== rowsOf(board), lists = touched(FEED);
    if (turns && !pressed || !sorts && !lists) return html;
    owing = true;
    order.hidden = !sorts;
    if (turns) return "";
    if (!whole) return html.replace(LISTED, "");
    const places = [...whole.querySelectorAll(`tr[id], #papan-neraca${lists ? "" : `, ${FEED}`}`)];
    return [
      ...parts.filter((part) => part !== whole).map((part) => part.outerHTML),
      ...places.filter((place) => document.getElementById(place.id)).map((place) => into(place)),
    ].join("");
  }

  // After its period ended a page shows another one: its address, if it names one, and its other language follow.
  function readdress() {
    const period = selected(document), language = document.querySelector(".mast a[hreflang]");
    for (const [address, change] of [
      [new URL(location.href), (url) => history.replaceState(null, "", url)],
      [new URL(language.href), (url) => { language.href = url; }],
    ]) {
      if (!period || [null, period].includes(address.searchParams.get("period"))) continue;
      address.searchParams.set("period", period);
      change(address);
    }
  }

  // A message shows that the server is there; an open connection alone does not.
  document.addEventListener("htmx:sse:before:message", (event) => {
    const message = event.detail.message;
    last = Date.now();
    cut = false;
    if (message.event) {
      if (!paused && message.data) reading.innerHTML = message.data;
    } else if (paused) {
      waiting += 1;
      event.detail.cancelled = true;
    } else {
      message.data = inPlace(message.data);
      event.detail.cancelled = !message.data;
      hold();
    }
    look();
  });
  document.addEventListener("htmx:sse:after:message", (event) => {
    if (event.detail.message.event) return;
    restore();
    settle();
    readdress();
    look();
  });
  board.addEventListener("pointerdown", (event) => { pressed = event.target; });
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, () => setTimeout(() => { pressed = null; release(); }, CLICK_MS));
  }
  document.addEventListener("pointerout", () => setTimeout(release));
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
  shown.inert = false;
  setInterval(look, 1000);
  look();
})();
