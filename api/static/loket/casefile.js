// A file's state: what the server's balances say of it, and on top of that what this counter recorded since.
"use strict";
self.loket = self.loket || {};
(() => {
  const PATIENCE_MS = 6000;

  // What the server knows; `null` where it cannot be asked. A unit nothing was recorded of yet has no files either.
  async function asked(dinas, service, number) {
    const query = new URLSearchParams({ service, case: number });
    const address = `/v1/dinas/${encodeURIComponent(dinas)}/file?${query}`;
    try {
      const { status, body } = await loket.sending.asked(address, { patience_ms: PATIENCE_MS });
      if (status === 200 && body && "state" in body) return body;
      return status === 404 && body ? { state: "none", position: 0, pauses: [] } : null;
    } catch {
      return null;
    }
  }

  const ended = (file, at) => (
    file.state === "paused" ? [...file.pauses, { from: file.paused_at, to: at, reason: file.reason }] : file.pauses);

  function after(file, { data, ...event }, undone) {
    const name = loket.steps.nameOf({ data, ...event }), running = { ...file, paused_at: null, reason: null };
    switch (name) {
      case "received": return { ...running, state: "received", received_at: data.received_at, pauses: [] };
      case "paused": return { ...file, state: "paused", paused_at: data.at, reason: data.reason };
      case "resumed": return { ...running, state: "received", pauses: ended(file, data.at) };
      case "issued": case "rejected": return { ...running, state: "decided", outcome: name, decided_at: data.completed_at };
      case "undone": return undone ? before(file, undone) : file;
      default: return file;
    }
  }

  function before(file, { data, ...event }) {
    const name = loket.steps.nameOf({ data, ...event });
    if (name === "received") return { ...file, state: "none", received_at: null };
    return name === "issued" || name === "rejected" ? { ...file, state: file.received_at ? "received" : "none" } : file;
  }

  // Without the server's word, what this counter knows begins where it saw the file itself.
  function stateOf(server, entries) {
    let file = server ?? { state: "unknown", position: 0, pauses: [] }, own = false;
    const events = new Map(entries.map((entry) => [entry.n, entry.event]));
    for (const entry of entries) {
      const counts = entry.state === "waiting" || (entry.state === "sent" && (server ? entry.position > server.position : true));
      if (!counts) continue;
      file = after(file, entry.event, events.get(entry.undoes));
      own = own || entry.state === "waiting";
    }
    return { ...file, own };
  }

  // Service time so far, in milliseconds: the clock stands while the file is paused.
  function elapsed(file, now) {
    const end = file.paused_at ? Date.parse(file.paused_at) : now;
    const stood = file.pauses.reduce((sum, pause) => sum + Date.parse(pause.to) - Date.parse(pause.from), 0);
    return Math.max(0, end - Date.parse(file.received_at) - stood);
  }

  const STEPS = {
    none: ["received", "issued", "rejected"], received: ["issued", "rejected", "paused"], paused: ["resumed", "issued", "rejected"],
    decided: [], unknown: ["received", "issued", "rejected", "paused", "resumed"],
  };
  const NEXT = { none: "received", received: "issued", paused: "resumed" };

  loket.casefile = { asked, stateOf, elapsed, steps: (file) => STEPS[file.state], next: (file) => NEXT[file.state] };
})();
