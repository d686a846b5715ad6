// The counter: keys, the number, the steps. A press is stored before it is confirmed, and nothing here waits for the network.
"use strict";
(() => {
  const LOOK_UP_MS = 250, TICK_MS = 15000, REMEMBERED = "neraca-loket-ini";
  const { say, clock, day, moment, step: stepSaid } = loket.words, { allowed } = loket.whose;
  const by = (id) => document.getElementById(id), root = by("loket"), query = new URLSearchParams(location.search);
  const held = JSON.parse(localStorage.getItem(REMEMBERED) || "{}");
  const here = { dinas: root.dataset.dinas, loket: query.get("loket") ?? held.loket ?? "", asn: query.get("asn") ?? held.asn ?? "" };

  for (const form of document.querySelectorAll("form.tools")) {
    for (const name of ["loket", "asn"]) if (form.elements[name]) form.elements[name].value = here[name];
  }
  if (loket.whose.leaves) return;
  if (!here.dinas) {
    if (held.dinas && by("pilih")) {
      query.set("dinas", held.dinas);
      location.replace(`${location.pathname}?${query}`);
    }
    return;
  }
  const remember = () => localStorage.setItem(REMEMBERED, JSON.stringify({ ...here, service: service() }));

  const source = loket.steps.sourceOf(here.dinas, here.loket, allowed);
  const input = by("nomor"), told = by("ada"), news = by("kabar"), failed = by("gagal"), received = by("diterima");
  const buttons = [...document.querySelectorAll("[data-step]")], tiles = [...document.querySelectorAll("[name=service]")];
  let shown = null, timer = 0, pressed = 0, order = Promise.resolve();

  const chosen = () => tiles.find((tile) => tile.checked), service = () => chosen()?.value ?? "";
  const number = () => input.value.trim();
  const same = (file) => file && file.service === service() && file.number === number();

  // Focus the field, so that the next number, typed or scanned, replaces this one.
  function retype() {
    input.focus();
    input.select();
  }

  function complain(text) {
    failed.textContent = text;
    failed.hidden = !text;
  }

  const describe = (file) => told.replaceChildren(...loket.known.inWords(file, chosen()?.dataset.standardUs ?? 0));

  function offer(file) {
    const can = file ? loket.casefile.steps(file) : loket.casefile.steps({ state: "unknown" });
    const next = file && loket.casefile.next(file);
    const held = document.activeElement;
    for (const button of buttons) {
      button.disabled = !can.includes(button.dataset.step);
      button.classList.toggle("primary", button.dataset.step === next);
    }
    // A step that turns out to be impossible does not take the keyboard's focus away.
    if (file && held?.dataset?.step && held.disabled) {
      complain(notNow(held.dataset.step, { number: number() }, file));
      retype();
    }
    by("waktu").hidden = !(same(shown) && shown.asksWhen);
  }

  function forget() {
    shown = null;
    told.replaceChildren();
    offer(null);
  }

  async function refresh(file) {
    const entries = await loket.queue.ofFile([here.dinas, file.service, file.number]);
    if (shown !== file || !same(file)) return;
    if (!file.asked && !entries.length) told.textContent = say("state_asking");
    else {
      file.known = loket.casefile.stateOf(file.server, entries, file.mends);
      describe(file.known);
      offer(file.known);
    }
  }

  // Look a file up: first in this counter, at once, then on the server, if it can be asked.
  async function lookUp(more = {}) {
    clearTimeout(timer);
    if (!number() || !service()) return;
    const file = { service: service(), number: number(), server: null, asked: false, known: null, asksWhen: false, ...more };
    shown = file;
    await refresh(file);
    file.server = await loket.casefile.asked(here.dinas, file.service, file.number);
    file.asked = true;
    await refresh(file);
  }

  function wrong(file) {
    if (!file.service) return say("no_service");
    if (!file.number) return say("no_number");
    return loket.personal.refused(file.number) ? say("personal") : "";
  }

  function notNow(name, file, known) {
    if (known.state === "decided") return say("not_now_decided", { case: file.number });
    const kind = name === "received" || name === "paused" || name === "resumed" ? name : "decided";
    return say(`not_now_${kind}`, { case: file.number });
  }

  // Put an unrecorded number back into the field, under its own service or none, unless the next one is being typed there.
  function giveBack(file, asksWhen = false) {
    if (number() && !same(file)) return;
    complain("");
    for (const tile of tiles) tile.checked = tile.value === file.service;
    input.value = file.number;
    if (!service()) {
      forget();
      complain(say("no_tile", { case: file.number, service: file.service }));
      return void retype();
    }
    lookUp({ asksWhen, mends: file.mends });
    by("waktu").hidden = !asksWhen;
    if (asksWhen) received.focus();
    else retype();
  }

  async function keep(name, file, { reason, receivedAt, time }) {
    const entries = await loket.queue.ofFile([here.dinas, file.service, file.number]);
    const known = loket.casefile.stateOf(file.server, entries, file.mends);
    if (!loket.casefile.steps(known).includes(name)) {
      giveBack(file);
      complain(notNow(name, file, known));
      return;
    }
    const decides = name === "issued" || name === "rejected";
    if (decides && (known.state === "none" || file.asksWhen) && !receivedAt) {
      giveBack(file, true);
      complain(say("when_received", { case: file.number }));
      return;
    }
    const said = { source, ...here, ...file, reason, receivedAt, time };
    const event = file.mends ? loket.steps.mended(name, file.mends, said) : loket.steps.step(name, said);
    await loket.queue.add(event);
    if (file.mends) await loket.queue.see(file.mends.n);
    news.textContent = say("done", { case: file.number, step: stepSaid(event), clock: clock(event.time) });
    loket.status.look();
    loket.status.later();
  }

  // Empty the field for the next number at once: a second press of the same key has nothing to record twice.
  function take(name, reason) {
    const { server = null, asksWhen = false, mends = null } = same(shown) ? shown : {};
    const file = { service: service(), number: number(), server, asksWhen, mends }, why = wrong(file);
    complain(why);
    if (why) return void retype();
    // The field holds a time of the city, in any zone of this device.
    const { at: receivedAt, fault } = file.asksWhen ? loket.zone.said(received, root.dataset.zone) : {};
    if (fault) {
      complain(say(fault, { zone: root.dataset.zone }));
      return void received.focus();
    }
    const press = { reason, receivedAt, time: loket.steps.now() };
    input.value = "";
    received.value = "";
    forget();
    input.focus();
    pressed += 1;
    order = order.then(() => keep(name, file, press)).catch((error) => {
      giveBack(file, file.asksWhen);
      complain(say("unsaved", { why: error?.name ?? error, case: file.number }));
    }).finally(() => { pressed -= 1; });
  }

  function enter() {
    const ready = same(shown) && shown.known, next = ready && loket.casefile.next(shown.known);
    if (next) take(next);
    else if (!ready) {
      complain(wrong({ service: service(), number: number() }));
      lookUp();
      input.select();
    }
  }

  const usable = (name) => buttons.find((button) => button.dataset.step === name && !button.disabled);

  function pauseOrResume() {
    if (same(shown) && shown.known?.state === "paused") return take("resumed");
    const why = wrong({ service: service(), number: number() });
    complain(why);
    if (why) return retype();
    if (usable("paused")) return usable("paused").focus();
    complain(same(shown) && shown.known ? notNow("paused", { number: number() }, shown.known) : say("not_now_paused", { case: number() }));
    return retype();
  }

  function onKey(event) {
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1], among = event.target.closest?.("#alasan");
    const reasons = [...document.querySelectorAll("#alasan button:not(:disabled)")], at = reasons.indexOf(event.target);
    const plain = !event.altKey && !event.ctrlKey && !event.metaKey;
    const keys = { F2: () => take("received"), F4: pauseOrResume, F8: () => take("issued"), F9: () => take("rejected") };
    let act = plain && !event.shiftKey ? keys[event.key] : null;
    if (event.altKey && !event.ctrlKey && digit && tiles[digit - 1]) act = () => choose(tiles[digit - 1]);
    if (among && plain) {
      const moves = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (moves) act = () => reasons[(at + moves + reasons.length) % reasons.length].focus();
      if (digit && reasons[digit - 1]) act = () => reasons[digit - 1].click();
      if (event.key === "Escape") act = () => input.focus();
    }
    if (event.key === "Enter" && plain && (event.target === input || event.target === received)) {
      act = event.target === input ? enter : () => usable(shown?.mends ? loket.steps.nameOf(shown.mends.event) : "issued")?.focus();
    }
    if (!act) return;
    event.preventDefault();
    if (!event.repeat) act();
  }

  function choose(tile) {
    tile.checked = true;
    tile.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  }

  // The source of an event that is sent again: its own, or one that the token allows.
  function sourceOf({ event, file }) {
    if (!allowed.length || allowed.includes(event.source)) return event.source;
    return loket.steps.sourceOf(file[0], loket.steps.nameOf(event) === "rated" ? "warga" : here.loket, allowed);
  }

  const RECEIPT = {
    seen: (entry) => loket.queue.see(entry.n),
    async again(entry, said) {
      if (!(await loket.queue.again(entry.n, sourceOf(entry)))) return;
      news.textContent = say("sent_again", { ...said, moment: moment(entry.event.time) });
      loket.status.look();
      loket.status.later();
    },
    // A refused entry stays until its replacement is recorded, or somebody marks it as seen.
    mend(entry) {
      const [, itsService, itsNumber] = entry.file;
      input.value = "";
      giveBack({ service: itsService, number: itsNumber, mends: entry }, loket.steps.lacksReceipt(entry));
      return true;
    },
    async undo(entry, said) {
      const reversal = loket.steps.reversible(entry.event) ? loket.steps.undo(source, entry.event) : null;
      const done = await loket.queue.undo(entry.n, reversal);
      if (done !== "nothing") news.textContent = say("undid", said);
      else if (!reversal) complain(say("not_undone", said));
      if (done === "undone") loket.status.look();
    },
  };

  async function onReceipt(event) {
    const button = event.target.closest("button[data-kind]");
    if (!button) return;
    const all = await loket.queue.last(60), entry = all.find((one) => one.n === Number(button.dataset.n));
    if (!entry) return;
    const typesOn = await RECEIPT[button.dataset.kind](entry, { case: entry.file[2], step: loket.receipts.what(entry, all) });
    if (!typesOn) input.focus();
  }

  async function draw() {
    loket.citizen.offer(await loket.receipts.draw());
    if (shown) await refresh(shown);
  }

  function tick() {
    by("jam").textContent = `${day(Date.now())}, ${clock(Date.now())}`;
    if (same(shown) && shown.known) describe(shown.known);
  }

  const before = tiles.find((tile) => tile.value === held.service);
  if (before && held.dinas === here.dinas && !service()) before.checked = true;
  remember();
  document.addEventListener("keydown", onKey);
  by("isian").addEventListener("submit", (event) => event.preventDefault());
  by("isian").addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (button) take(button.dataset.step, button.dataset.reason);
  });
  by("isian").addEventListener("change", (event) => {
    if (event.target !== input) complain("");
    if (event.target.name !== "service") return;
    remember();
    forget();
    lookUp();
  });
  input.addEventListener("input", () => {
    forget();
    complain("");
    clearTimeout(timer);
    timer = setTimeout(lookUp, LOOK_UP_MS);
  });
  by("tanda").addEventListener("click", onReceipt);
  // If the disk stalls for a moment, the browser asks before it leaves the page with a press not stored.
  addEventListener("beforeunload", (event) => { if (pressed) event.preventDefault(); });

  if (here.loket) by("loket-nama").textContent = document.title = say("counter", { n: here.loket });
  if (here.asn) by("petugas").textContent = say("clerk", { asn: here.asn });
  by("kerja").hidden = false;
  loket.queue.listen(draw);
  tick();
  setInterval(tick, TICK_MS);
  forget();
  draw();
  input.focus();
  loket.status.start();
})();
