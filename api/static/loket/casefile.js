// A file's state: the state in the server's balances, and on top of it the steps that this counter recorded since.
"use strict";
self.loket = self.loket || {};
(() => {
  const PATIENCE_MS = 6000;

  // The server's state of a file; `null` if it cannot be asked. A unit without any record has no files either.
  async function asked(dinas, service, number) {
    try {
      const { status, body } = await loket.sending.asked(loket.sending.fileAddress(dinas, service, number), { patience_ms: PATIENCE_MS });
      if (status === 200 && body && "state" in body) return body;
      return status === 404 && body ? { state: "none", position: 0, pauses: [] } : null;
    } catch {
      return null;
    }
  }

  const one = (at, other) => Boolean(at && other) && Date.parse(at) === Date.parse(other);

  // True if a file includes a step already, which then changes nothing. A decision is not asked: it may set its state twice.
  const tells = (file, name, { at, received_at: receivedAt }) => ({
    received: () => one(file.received_at, receivedAt),
    paused: () => one(file.paused_at, at) || file.pauses.some((pause) => one(pause.from, at)),
    resumed: () => file.pauses.some((pause) => one(pause.to, at)),
  })[name]?.() ?? false;

  // For a file received anew, the server has yet to send the promise.
  const FRESH = { pauses: [], paused_at: null, reason: null, promise_us: undefined, kind: undefined, due_at: null, overdue: false };
  const ended = (file, at) => [...file.pauses, { from: file.paused_at, to: at, reason: file.reason }];
  const open = (file, ...states) => states.includes(file.state) || file.state === "unknown";

  function after(file, { data, ...event }, undone) {
    const name = loket.steps.nameOf({ data, ...event });
    if (tells(file, name, data)) return file;
    switch (name) {
      case "received": return { ...file, ...FRESH, state: "received", received_at: data.received_at };
      case "paused": return open(file, "received") ? { ...file, state: "paused", paused_at: data.at, reason: data.reason } : file;
      case "resumed":
        if (!open(file, "paused")) return file;
        return { ...file, state: "received", paused_at: null, reason: null, pauses: file.paused_at ? ended(file, data.at) : file.pauses };
      case "issued": case "rejected": return { ...file, state: "decided", outcome: name, decided_at: data.completed_at };
      case "undone": return undone ? before(file, undone) : file;
      default: return file;
    }
  }

  // The file before a reversed step; a file that was paused at its decision is paused again.
  function before(file, { data, ...event }) {
    const name = loket.steps.nameOf({ data, ...event });
    if (name === "received") return { ...file, state: "none", received_at: null };
    if (name !== "issued" && name !== "rejected") return file;
    return { ...file, state: file.paused_at ? "paused" : file.received_at ? "received" : "none" };
  }

  // Without the server's state, this counter's knowledge begins with its own first step of the file. An entry that is being
  // mended does not count.
  function stateOf(server, all, mends = null) {
    let file = server ?? { state: "unknown", position: 0, pauses: [] }, own = false;
    const entries = all.filter((entry) => !loket.queue.past(entry) && entry.n !== mends?.n), folded = server ? server.folded ?? server.position : 0;
    const events = new Map(entries.map((entry) => [entry.n, entry.event]));
    for (const entry of entries) {
      const counts = entry.state === "waiting" || (entry.state === "sent" && (server ? entry.position > folded : true));
      if (!counts) continue;
      file = after(file, entry.event, events.get(entry.undoes));
      own = own || entry.state === "waiting";
    }
    return { ...file, own };
  }

  // Service time so far, in milliseconds: the clock does not run while the file is paused.
  function elapsed(file, now) {
    const end = file.paused_at ? Date.parse(file.paused_at) : now;
    const stood = file.pauses.reduce((sum, pause) => sum + Date.parse(pause.to) - Date.parse(pause.from), 0);
    return Math.max(0, end - Date.parse(file.received_at) - stood);
  }

  // A `due_at` is an instant, and no pause moves it; a promise is a length of service time.
  const late = (file, promise, now) => file.overdue
    || (file.kind === "due_at" ? now > Date.parse(file.due_at) : promise > 0 && elapsed(file, now) > promise);

  const STEPS = {
    none: ["received", "issued", "rejected"], received: ["issued", "rejected", "paused"], paused: ["resumed", "issued", "rejected"],
    decided: [], unknown: ["received", "issued", "rejected", "paused", "resumed"],
  };
  const NEXT = { none: "received", received: "issued", paused: "resumed" };

  loket.casefile = { asked, stateOf, elapsed, late, steps: (file) => STEPS[file.state], next: (file) => NEXT[file.state] };
})();
