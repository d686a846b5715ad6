// Sending: waiting entries go to the intake, in order, one sender at a time in the whole browser. A lost answer changes
// nothing: the same events are sent again with the same ids, and the journal holds each once.
"use strict";
self.loket = self.loket || {};
(() => {
  const PATIENCE_MS = 20000, HERE_MS = 2000, SLOW_MS = 10000, TURN_MS = 8000, AT_ONCE = 200, REFUSED_TIMES = 4;
  const LATE_MS = 1500, STALLED_MS = 3500, BETWEEN_MS = 1000;
  const BATCH = "application/cloudevents-batch+json", TOO_LARGE = 413, OF_CONTENT = [400, TOO_LARGE, 422], PASSING = [408, 425, 429];
  let running = null, again = false, failed = true, looks = 0, flight = null, room = AT_ONCE, stalls = 0;

  const isCut = () => Boolean(loket.practice?.isCut());

  // The pause that an answer asks for, in milliseconds: it names seconds or a date.
  function pauseOf(answer) {
    const text = answer.headers.get("retry-after") ?? "", seconds = Number(text);
    const pause = text && !Number.isNaN(seconds) ? seconds * 1000 : Date.parse(text) - Date.now();
    return Math.min(300e3, Math.max(0, pause || 0));
  }

  async function asked(address, options = {}) {
    if (isCut()) throw new TypeError("the network is cut, for practice");
    const patience = options.ending ?? new AbortController();
    const timer = setTimeout(() => patience.abort(), options.patience_ms ?? PATIENCE_MS);
    try {
      const answer = await fetch(address, {
        credentials: "same-origin", cache: "no-store", redirect: "error", ...options, signal: patience.signal,
      });
      const body = await answer.json().catch(() => null);
      loket.queue.hear(body?.journal);
      return { status: answer.status, date: Date.parse(answer.headers.get("date")), after: pauseOf(answer), body };
    } finally {
      clearTimeout(timer);
    }
  }

  // A network's own sign-in page answers 200 to anything: only an account of every event sent is an answer.
  function accounted(body, sent) {
    if (!body || !Array.isArray(body.rejected)) return null;
    if (body.accepted + body.duplicates + body.rejected.length !== sent.length) return null;
    const problems = new Map(body.rejected.map((one) => [one.index, one.problem]));
    if (body.rejected.some(({ index }) => !(index in sent)) || problems.size !== body.rejected.length) return null;
    return sent.map((entry, index) => [entry.n, problems.has(index)
      ? { state: "refused", problem: problems.get(index) }
      : { state: "sent", position: body.receipts?.[index]?.position ?? null }]);
  }

  const isOurs = (answer) => /^urn:neraca:problem:/.test(answer.body?.type);

  // The state of the link after an answer that accounts for nothing; `apart`: the request was refused for what it carries,
  // or by something on the way that may refuse everything.
  function linkOf(answer) {
    if (answer.status === 401) return "signin";
    if (answer.status === 403 && isOurs(answer)) return "forbidden";
    if (answer.status < 400 || answer.status >= 500 || PASSING.includes(answer.status)) return "off";
    return isOurs(answer) && !OF_CONTENT.includes(answer.status) ? "odd" : "apart";
  }

  const fileAddress = (dinas, service, number) => (
    `/v1/dinas/${encodeURIComponent(dinas)}/file?${new URLSearchParams({ service, case: number })}`);

  // The intake's answer does not name its journal: a second request, for the first file sent, does.
  const whichJournal = ([{ file }]) => asked(fileAddress(...file), { patience_ms: HERE_MS }).catch(() => null);

  // A failed link is a result; a failed database is thrown, since it says nothing of the link.
  async function batch(sent) {
    const named = whichJournal(sent);
    const answer = await posted(sent).catch((error) => error);
    if (answer instanceof Error) return { link: answer.cause === "stalled" ? "stalled" : "off", date: NaN, cut: answer.cause === "cut" };
    const outcomes = answer.status === 200 ? accounted(answer.body, sent) : null;
    if (outcomes) await named.then(() => loket.queue.settle(outcomes));
    const { date, status, after, body } = answer, ours = isOurs(answer);
    return { link: outcomes ? "on" : linkOf(answer), date, status, after, problem: ours ? body : null };
  }

  // A citizen's answer is vouched for by a ticket of its case: the one the screen was opened with, or one given to the counter
  // now. A screen that may rate by itself is given none, and needs none.
  async function vouched(entry) {
    if (entry.ticket) return { ticket: entry.ticket };
    const [dinas, service, number] = entry.file;
    const answer = await asked(`/loket/tiket?${new URLSearchParams({ dinas, service, case: number })}`, { patience_ms: HERE_MS });
    if (answer.status !== 200) return { problem: loket.refusals.lifts(answer.body) ? answer.body : null };
    const ticket = new URLSearchParams(new URL(answer.body.address).hash.slice(1)).get("tiket");
    await loket.queue.vouch(entry.n, ticket);
    return { ticket };
  }

  const base64url = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const request = (sent, ending, more = {}, credentials = "same-origin") => asked("/v1/events", {
    method: "POST", body: JSON.stringify(sent.map((entry) => entry.event)),
    headers: { "content-type": BATCH, prefer: "return=representation", ...more }, credentials, ending,
  });

  // A ticket that is refused is the fault of this one answer, and holds up nothing else.
  const ofThis = (answer, problem) => (
    { ...answer, status: 200, body: { accepted: 0, duplicates: 0, rejected: [{ index: 0, problem }] } });

  async function rated(sent, ending) {
    const { ticket, problem } = await vouched(sent[0]);
    if (problem) return ofThis({ date: NaN, after: 0 }, problem);
    if (!ticket) return request(sent, ending);
    const authorization = `Ticket ${base64url(JSON.stringify([...sent[0].file, ticket]))}`;
    const answer = await request(sent, ending, { authorization }, "omit");
    return [401, 403].includes(answer.status) && isOurs(answer) ? ofThis(answer, answer.body) : answer;
  }

  const isRated = (sent) => sent.length > 0 && loket.queue.isRating(sent[0].event);

  const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

  const isFound = (within) => asked("/healthz", { patience_ms: within }).then(({ body }) => body?.status === "ok").catch(() => false);

  // An answer that is long in coming: the line may have died, though nothing says so, and its connection never wakes again.
  // The server is looked for on another one. If it is not found, the line is cut; if it is, and the answer still does not come,
  // the same events are sent again, which the journal holds once. A line that is only slow gets fewer events at once, and
  // then more time.
  async function watch(ending, isOver) {
    const times = 2 ** stalls, began = Date.now();
    await pause(LATE_MS * times);
    while (!isOver() && !ending.signal.aborted) {
      const there = await isFound(HERE_MS * times);
      if (isOver()) return;
      if (!there) ending.abort(new Error("the line is cut", { cause: "cut" }));
      else if (Date.now() - began >= STALLED_MS * times) ending.abort(new Error("no answer comes", { cause: "stalled" }));
      else await pause(BETWEEN_MS);
    }
  }

  async function posted(sent) {
    let over = false;
    const began = Date.now();
    flight = new AbortController();
    watch(flight, () => over);
    try {
      const answer = await (isRated(sent) ? rated : request)(sent, flight);
      if (Date.now() - began < STALLED_MS) [stalls, room] = [0, Math.min(AT_ONCE, 2 * room)];
      return answer;
    } finally {
      over = true;
      flight = null;
    }
  }

  // What is under way when the network goes, or comes back as another one, is given up.
  const drop = () => flight?.abort(new Error("the network has changed"));

  // A request without events passes: then the way is open, and what was refused was refused for its content.
  const isOpen = () => request([]).then(({ status, body }) => status === 200 && accounted(body, []) !== null).catch(() => false);

  // One entry that is refused as a request: by the server itself, or again and again while the way is open.
  async function single(entry, said) {
    for (let times = 1; !said.problem && times < REFUSED_TIMES; times += 1) {
      if (!await isOpen()) return { ...said, link: "off" };
      said = await batch([entry]);
      if (said.link !== "apart") return said.link === "stalled" ? { ...said, link: "off" } : said;
    }
    const problem = said.problem ?? { type: "about:blank", title: "Refused on the way", status: said.status, detail: `status ${said.status}` };
    await loket.queue.settle([[entry.n, { state: "refused", problem }]]);
    return { ...said, link: "on" };
  }

  // After a failure, look for the server before sending: entries that were never tried can be undone without a trace.
  async function here() {
    if (!failed && navigator.onLine !== false && !isCut()) return true;
    looks += 1;
    if (looks % 4) return isFound(HERE_MS);
    let there = false, waits = true;  // at times one look is given the time of a slow line, and quick ones go on beside it
    isFound(SLOW_MS).then((found) => { there ||= found; waits = false; });
    do there = await isFound(HERE_MS) || there; while (!there && waits && await pause(BETWEEN_MS).then(() => true));
    return there;
  }

  // A request that is refused as a whole is halved until one event is left, so that one blocks no other.
  async function all(tell) {
    let most = AT_ONCE;
    if (!await here()) return { link: "off", date: NaN };
    for (;;) {
      const sent = await loket.queue.gather(Math.min(most, room));
      if (!sent.length) return { link: "on", date: NaN };
      tell({ link: "sending", date: NaN });
      let said = await batch(sent);
      if (said.link === "stalled" || said.cut) {
        if (sent.length === 1) stalls += 1;
        room = Math.max(1, Math.floor(sent.length / 2));
        if (!said.cut) continue;
      }
      if (said.link === "apart" && sent.length > 1) {
        if (said.status !== TOO_LARGE && !await isOpen()) return { ...said, link: "off" };
        most = Math.floor(sent.length / 2);
        continue;
      }
      if (said.link === "apart") [said, most] = [await single(sent[0], said), AT_ONCE];
      if (said.link !== "on") return said;
      tell(said);
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

  loket.sending = { send, drop, asked, fileAddress };
})();
