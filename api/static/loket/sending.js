// Sending: waiting entries go to the intake, in order, one sender at a time in the whole browser. A lost answer changes
// nothing: the same events are sent again with the same ids, and the journal holds each once.
"use strict";
self.loket = self.loket || {};
(() => {
  const PATIENCE_MS = 20000, HERE_MS = 4000, TURN_MS = 8000, AT_ONCE = 200, BATCH = "application/cloudevents-batch+json";
  const UNREADABLE = [400, 413, 415, 422];
  let running = null, again = false, failed = true;

  const isCut = () => Boolean(loket.practice?.isCut());

  async function asked(address, options = {}) {
    if (isCut()) throw new TypeError("the network is cut, for practice");
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), options.patience_ms ?? PATIENCE_MS);
    try {
      const answer = await fetch(address, {
        credentials: "same-origin", cache: "no-store", redirect: "error", ...options, signal: patience.signal,
      });
      const body = await answer.json().catch(() => null);
      loket.queue.hear(body?.journal);
      return { status: answer.status, date: Date.parse(answer.headers.get("date")), body };
    } finally {
      clearTimeout(timer);
    }
  }

  // A network's own sign-in page answers 200 to anything: only an account of every event sent is an answer.
  function accounted(body, sent) {
    if (!body || !Array.isArray(body.rejected)) return null;
    if (body.accepted + body.duplicates + body.rejected.length !== sent.length) return null;
    const problems = new Map(body.rejected.map((one) => [one.index, one.problem]));
    return sent.map((entry, index) => [entry.n, problems.has(index)
      ? { state: "refused", problem: problems.get(index) }
      : { state: "sent", position: body.receipts?.[index]?.position ?? null }]);
  }

  // The state of the link after an answer that accounts for nothing.
  function linkOf(status) {
    if (status === 401) return "signin";
    if (status === 403) return "forbidden";
    return status >= 400 && status < 500 && status !== 408 && status !== 429 ? "odd" : "off";
  }

  const fileAddress = (dinas, service, number) => (
    `/v1/dinas/${encodeURIComponent(dinas)}/file?${new URLSearchParams({ service, case: number })}`);

  // The intake's answer does not name its journal: a second request, for the first file sent, does.
  const whichJournal = ([{ file }]) => asked(fileAddress(...file), { patience_ms: HERE_MS }).catch(() => null);

  // A failed link is a result; a failed database is thrown, since it says nothing of the link.
  async function batch(sent) {
    const named = whichJournal(sent);
    const answer = await asked("/v1/events", {
      method: "POST", body: JSON.stringify(sent.map((entry) => entry.event)),
      headers: { "content-type": BATCH, prefer: "return=representation" },
    }).catch(() => null);
    if (!answer) return { link: "off", date: NaN };
    let outcomes = answer.status === 200 ? accounted(answer.body, sent) : null;
    const unreadable = UNREADABLE.includes(answer.status) && /^urn:neraca:problem:/.test(answer.body?.type);
    if (unreadable && sent.length === 1) outcomes = [[sent[0].n, { state: "refused", problem: answer.body }]];
    if (outcomes) await named.then(() => loket.queue.settle(outcomes));
    const link = outcomes ? "on" : unreadable ? "apart" : linkOf(answer.status);
    return { link, date: answer.date, status: answer.status };
  }

  // After a failure, look for the server before sending: entries that were never tried can be undone without a trace.
  async function here() {
    if (!failed && navigator.onLine !== false && !isCut()) return true;
    const answer = await asked("/healthz", { patience_ms: HERE_MS }).catch(() => null);
    return answer?.body?.status === "ok";
  }

  // A request that the server cannot read is sent again event by event, so that one blocks no other.
  async function all(tell) {
    let most = AT_ONCE;
    if (!await here()) return { link: "off", date: NaN };
    for (;;) {
      const sent = await loket.queue.gather(most);
      if (!sent.length) return { link: "on", date: NaN };
      tell({ link: "sending", date: NaN });
      const said = await batch(sent);
      if (said.link === "apart") most = 1;
      else if (said.link !== "on") return said;
      else tell(said);
    }
  }

  // A page that was left while it was sending may hold the lock for good: after a while another takes it. Two pages that
  // send at once send the same events, which the journal holds once.
  async function alone(work) {
    if (!navigator.locks) return work();
    let own = null;
    const turn = () => { own = work(); return own; };
    for (const how of [{ signal: AbortSignal.timeout(TURN_MS) }, { steal: true }]) {
      try {
        return await navigator.locks.request("neraca-loket", how, turn);
      } catch (error) {
        if (own) return own;
        if (!["TimeoutError", "AbortError"].includes(error?.name)) throw error;
      }
    }
    return work();
  }

  // Send all waiting entries; a call meanwhile sends once more afterwards. Returns the state of the link.
  function send(tell = () => {}) {
    if (running) {
      again = true;
      return running;
    }
    running = (async () => {
      try {
        let said;
        do {
          again = false;
          said = await alone(() => all(tell));
          failed = said.link === "off";
        } while (again && said.link === "on");
        return said;
      } finally {
        running = null;
      }
    })();
    return running;
  }

  loket.sending = { send, asked, fileAddress };
})();
