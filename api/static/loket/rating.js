// The citizen's screen: one file, one rating, stored and sent like everything else of the counter.
"use strict";
(() => {
  const { say, refusal } = loket.words;
  const by = (id) => document.getElementById(id), query = new URLSearchParams(location.search);
  const dinas = query.get("dinas"), service = query.get("service"), number = query.get("case");
  const form = by("penilaian"), language = by("bahasa"), failed = by("gagal"), thanks = by("terima");

  // The cached page serves every case: the address names the case, also for the page in the other language.
  const other = new URL(language.href);
  for (const name of ["dinas", "service", "case"]) if (query.has(name)) other.searchParams.set(name, query.get(name));
  language.href = other;

  function complain(text) {
    failed.textContent = text;
    failed.hidden = !text;
  }

  function end(text) {
    by("layar").hidden = true;
    by("kembali").hidden = false;
    thanks.textContent = text;
  }

  if (loket.whose.leaves) return;
  if (!dinas || !service || !number) {
    end(say("rate_none"));
    return;
  }
  const source = loket.steps.sourceOf(dinas, "warga", loket.whose.allowed);
  by("berkas").textContent = say("rate_file", { case: number, service });

  const ticket = new URLSearchParams(location.hash.slice(1)).get("tiket"), PRESSES_MS = 5000;
  const isHeld = (problem) => /natural-key-held|content-conflict/.test(problem?.type);
  let mine = false, server = null, closing = 0;

  // The outcome of a rating that is stored here.
  function became({ state, problem }) {
    if (state === "waiting") return say("rated");
    if (state === "sent") return say("rated_sent");
    return isHeld(problem) ? say("rated_before") : say("rate_refused", { why: refusal(problem) });
  }

  // For a few seconds the citizen may choose otherwise; the last choice is sent.
  function open(held) {
    by("layar").hidden = false;
    thanks.textContent = say("rated_open");
    clearTimeout(closing);
    closing = setTimeout(() => { look(); loket.status.later(); }, held.again - Date.now() + 50);
  }

  async function look() {
    const held = await loket.queue.ratingOf([dinas, service, number]);
    if (held && loket.queue.isOpen(held)) open(held);
    else if (held && mine) end(became(held));
    else if (held && (held.state !== "refused" || isHeld(held.problem))) end(say("rated_before"));
    else if (await undecided()) end(say("rate_open", { case: number }));
    else by("layar").hidden = false;
  }

  // A file can be rated once the server or this counter knows it as decided, and also if neither knows its state.
  async function undecided() {
    server ??= await loket.casefile.asked(dinas, service, number);
    const { state } = loket.casefile.stateOf(server, await loket.queue.ofFile([dinas, service, number]));
    return !["decided", "unknown"].includes(state);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = Object.fromEntries(new FormData(form)), { overall, ...aspects } = said;
    const unsur = Object.fromEntries(Object.entries(aspects).map(([aspect, value]) => [aspect, Number(value)]));
    if (!overall && !Object.keys(unsur).length) return complain(say("rate_empty"));
    complain("");
    const rating = loket.steps.rating({ source, dinas, service, number, overall: Number(overall), unsur });
    try {
      const { fresh } = await loket.queue.add(rating, { again: Date.now() + PRESSES_MS, ...(ticket && { ticket }) });
      if (!fresh) return end(say("rated_before"));
    } catch (error) {
      return complain(say("unsaved", { why: error?.name ?? error, case: number }));
    }
    mine = true;
    await look();
    return loket.status.look();
  });

  form.addEventListener("input", () => complain(""));
  loket.queue.listen(look);
  look();
  loket.status.start();
})();
