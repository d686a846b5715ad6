// Steps: a press as an event of the contract. An event is made once, at the press, and never again.
"use strict";
self.loket = self.loket || {};
(() => {
  let latest = 0;

  // `crypto.randomUUID` exists only over HTTPS or on the machine itself.
  function uuid() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  // Two presses never have the same instant, so that a resumption lies after its pause.
  function now() {
    const clock = Date.now();
    latest = clock <= latest && latest - clock < 1000 ? latest + 1 : clock;
    return new Date(latest).toISOString();
  }

  // The source of a counter's events; a token may allow only one of its own.
  function sourceOf(dinas, counter, allowed = []) {
    const plain = `/loket/${encodeURIComponent(dinas)}${counter ? `/${encodeURIComponent(counter)}` : ""}`;
    const usual = plain.length <= 500 ? plain : "/loket";
    return !allowed.length || allowed.includes(usual) ? usual : allowed[0];
  }

  const event = (source, kind, time, data, id = uuid()) => (
    { specversion: "1.0", type: loket.kinds.typeOf(kind), source, id, time, data });

  const KINDS = { received: "permit-received", paused: "permit-paused", resumed: "permit-resumed", issued: "permit-processed",
                  rejected: "permit-processed" };

  // `time` is that of the press: a disk may have stalled since.
  function step(name, { source, dinas, service, number, asn, reason, receivedAt, time }) {
    const file = { dinas, service, case: number }, clerk = asn ? { asn } : {};
    const said = {
      received: () => ({ ...file, ...clerk, received_at: receivedAt ?? time }),
      paused: () => ({ ...file, at: time, reason }),
      resumed: () => ({ ...file, at: time }),
      issued: () => ({ ...file, ...clerk, completed_at: time, outcome: "issued" }),
      rejected: () => ({ ...file, ...clerk, completed_at: time, outcome: "rejected" }),
    }[name]();
    return event(source, KINDS[name], time, receivedAt && "completed_at" in said ? { ...said, received_at: receivedAt } : said);
  }

  const refusedIn = ({ problem }, ...fields) => (problem?.errors ?? []).some(({ pointer }) => fields.includes(pointer));
  const lacksReceipt = (entry) => refusedIn(entry, "/data/received_at");

  // A press after a refusal: the file's receipt and decision keep their old times, unless the refusal was of that time.
  function mended(name, entry, said) {
    const { source, time, data } = entry.event;
    if (nameOf(entry.event) !== name) return step(name, said);
    if (name === "received" && !lacksReceipt(entry)) return step(name, { ...said, receivedAt: said.receivedAt ?? data.received_at });
    if (!said.receivedAt || !data.completed_at || refusedIn(entry, "/time", "/data/completed_at")) return step(name, said);
    return event(source, loket.kinds.kindOf(entry.event), time, { ...data, received_at: said.receivedAt });
  }

  const undo = (source, target) => event(source, "event-retracted", now(), {
    event: { source: target.source, id: target.id }, reason: "salah-tekan",
  });

  // The aspects are more exact than the face; a rating has one of the two. Its id reveals nothing of the file: some readers
  // see an answer's id, but not its file.
  function rating({ source, dinas, service, number, overall, unsur }) {
    const said = Object.keys(unsur).length ? { unsur } : { overall, scale: 4 };
    return event(source, "satisfaction-rated", now(), { dinas, service, case: number, ...said });
  }

  // The counter's own name for an event.
  function nameOf(event) {
    const kind = loket.kinds.kindOf(event);
    if (kind === "permit-processed") return event.data.outcome;
    return { "permit-received": "received", "permit-paused": "paused", "permit-resumed": "resumed",
             "satisfaction-rated": "rated", "event-retracted": "undone" }[kind];
  }

  // A note in the journal cannot be reversed, only followed by the next; and no clerk reverses a citizen's answer.
  const reversible = (event) => ["received", "issued", "rejected"].includes(nameOf(event));

  loket.steps = { now, step, mended, lacksReceipt, undo, rating, nameOf, sourceOf, reversible };
})();
