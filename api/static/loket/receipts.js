// The last receipts: the entries recorded here and their outcomes. A refused entry stays until somebody has seen it.
"use strict";
self.loket = self.loket || {};
(() => {
  const SHOWN = 8;
  const { say, clock, number, step, refusal } = loket.words, { past, stands, isHeld } = loket.queue;
  const table = document.getElementById("tanda"), { dinas } = document.getElementById("loket").dataset;

  const made = (tag, { text, ...properties } = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), properties);
    if (text !== undefined) element.textContent = text;
    element.append(...inside);
    return element;
  };

  function fate(entry, all) {
    const undoing = all.find((other) => other.undoes === entry.n && stands(other));
    if (entry.state === "refused") return ["under", say("refused_why", { why: refusal(entry.problem) })];
    if (entry.state === "withdrawn") return ["", say("withdrawn")];
    if (undoing) return ["", say(undoing.state === "sent" ? "undone" : "undoing")];
    if (past(entry)) return ["", say("sent_before")];
    if (isHeld(entry)) return ["under", say("held_why", { why: refusal(entry.problem) })];
    if (entry.state === "waiting") return ["wait", say("waiting")];
    return ["", entry.position === null ? say("sent") : say("sent_at", { position: number(entry.position) })];
  }

  // A step can be undone while it is the last of its file, in the same journal.
  function undoable(entry, all) {
    const name = loket.steps.nameOf(entry.event), later = (other) => other.n > entry.n && String(other.file) === String(entry.file);
    if (name === "rated" || name === "undone" || !stands(entry) || past(entry)) return false;
    if (all.some((other) => later(other) && stands(other))) return false;
    return loket.steps.reversible(entry.event) || (entry.state === "waiting" && !entry.tried);
  }

  function action(kind, entry, said) {
    const button = made("button", { type: "button", text: say(kind) });
    button.setAttribute("aria-label", say(`${kind}_of`, said));
    button.dataset.kind = kind;
    button.dataset.n = entry.n;
    return button;
  }

  const undoneBy = (entry, all) => all.find((one) => one.n === entry.undoes)?.event;

  // An entry in words; a reversal names the step that it reverses.
  function what(entry, all) {
    const undone = undoneBy(entry, all);
    return undone ? say("step_undone", { step: step(undone) }) : step(entry.event);
  }

  function row(entry, all) {
    const about = undoneBy(entry, all) ?? entry.event, number = entry.file[2], did = what(entry, all);
    const [colour, became] = fate(entry, all), said = { case: number, step: did };
    const elsewhere = entry.file[0] === dinas ? "" : ` · ${entry.file[0]}`;
    const small = made("small", {}, `${clock(entry.at)} · `, made("span", { className: colour, text: became }));
    const head = made("th", { scope: "row" }, made("span", { className: "name", text: number }), ` · ${did}${elsewhere}`, small);
    const acts = made("td", { className: "n" });
    const mendable = !entry.undoes && loket.kinds.kindOf(about).startsWith("permit-") && entry.file[0] === dinas;
    if (entry.state === "refused" && !entry.seen) {
      if (loket.refusals.passing(entry.problem)) acts.append(action("again", entry, said), " ");
      else if (mendable) acts.append(action("mend", entry, said), " ");
      acts.append(action("seen", entry, said));
    } else if (isHeld(entry)) {
      acts.append(action("again", entry, said), " ");
      if (mendable) acts.append(action("mend", entry, said), " ");
      acts.append(action("undo", entry, said));
    } else if (undoable(entry, all)) acts.append(action("undo", entry, said));
    return made("tr", {}, head, acts);
  }

  async function draw() {
    const all = await loket.queue.last(60);
    const held = document.activeElement, kind = held?.dataset?.kind, n = held?.dataset?.n;
    const urgent = all.filter((entry) => (entry.state === "refused" && !entry.seen) || isHeld(entry));
    const shown = [...urgent, ...all.filter((entry) => !urgent.includes(entry)).slice(0, SHOWN)];
    const rows = shown.map((entry) => row(entry, all));
    table.replaceChildren(...(rows.length ? rows : [made("tr", {}, made("td", { colSpan: 2, text: say("nothing") }))]));
    if (kind) table.querySelector(`[data-kind="${kind}"][data-n="${n}"]`)?.focus();
    return all;
  }

  loket.receipts = { draw, what };
})();
