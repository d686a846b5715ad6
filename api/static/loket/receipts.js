// The last receipts: what was recorded here and what became of it. What went wrong stays until somebody has seen it.
"use strict";
self.loket = self.loket || {};
(() => {
  const SHOWN = 8;
  const { say, clock, number, step, refusal } = loket.words;
  const table = document.getElementById("tanda");

  const made = (tag, { text, ...properties } = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), properties);
    if (text !== undefined) element.textContent = text;
    element.append(...inside);
    return element;
  };

  function fate(entry, all) {
    const undoing = all.find((other) => other.undoes === entry.n && (other.state === "sent" || other.state === "waiting"));
    if (entry.state === "refused") return ["under", say("refused_why", { why: refusal(entry.problem) })];
    if (entry.state === "withdrawn") return ["", say("withdrawn")];
    if (undoing) return ["", say(undoing.state === "sent" ? "undone" : "undoing")];
    if (entry.state === "waiting") return ["wait", say("waiting")];
    return ["", entry.position === null ? say("sent") : say("sent_at", { position: number(entry.position) })];
  }

  // A step can be undone while it is its file's last; a note in the journal cannot be reversed, only followed by the next.
  function undoable(entry, all) {
    const name = loket.steps.nameOf(entry.event), later = (other) => other.n > entry.n && String(other.file) === String(entry.file);
    if (name === "rated" || name === "undone") return false;
    if (all.some((other) => later(other) && (other.state === "waiting" || other.state === "sent"))) return false;
    return entry.state === "waiting" && (!entry.tried || reversible(name)) ? true : entry.state === "sent" && reversible(name);
  }
  const reversible = (name) => name !== "paused" && name !== "resumed";

  function action(kind, entry, said) {
    const button = made("button", { type: "button", text: say(kind) });
    button.setAttribute("aria-label", say(`${kind}_of`, said));
    button.dataset.kind = kind;
    button.dataset.n = entry.n;
    return button;
  }

  function row(entry, all, undone) {
    const about = undone ?? entry.event, number = entry.file[2];
    const what = undone ? say("step_undone", { step: step(undone) }) : step(entry.event);
    const [colour, became] = fate(entry, all), said = { case: number, step: what };
    const small = made("small", {}, `${clock(entry.at)} · `, made("span", { className: colour, text: became }));
    const head = made("th", { scope: "row" }, made("span", { className: "name", text: number }), ` · ${what}`, small);
    const acts = made("td", { className: "n" });
    if (entry.state === "refused" && !entry.seen) {
      if (about.type.startsWith("neraca.permit-")) acts.append(action("mend", entry, said), " ");
      acts.append(action("seen", entry, said));
    } else if (undoable(entry, all)) acts.append(action("undo", entry, said));
    return made("tr", {}, head, acts);
  }

  async function draw() {
    const all = await loket.queue.last(60), events = new Map(all.map((entry) => [entry.n, entry.event]));
    const held = document.activeElement, kind = held?.dataset?.kind, n = held?.dataset?.n;
    const urgent = all.filter((entry) => entry.state === "refused" && !entry.seen);
    const shown = [...urgent, ...all.filter((entry) => !urgent.includes(entry)).slice(0, SHOWN)];
    const rows = shown.map((entry) => row(entry, all, events.get(entry.undoes)));
    table.replaceChildren(...(rows.length ? rows : [made("tr", {}, made("td", { colSpan: 2, text: say("nothing") }))]));
    if (kind) table.querySelector(`[data-kind="${kind}"][data-n="${n}"]`)?.focus();
    return all;
  }

  loket.receipts = { draw };
})();
