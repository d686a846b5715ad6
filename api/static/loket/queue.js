// The queue: what was pressed, in the browser's own database before anybody is told that it is done. Nothing here is
// forgotten until the server has said what became of it.
"use strict";
self.loket = self.loket || {};
(() => {
  const KEPT_MOST = 500, DAY_MS = 86400e3;
  const channel = "BroadcastChannel" in self ? new BroadcastChannel("neraca-loket") : null;
  const listeners = new Set();
  let opening = null, journal = self.document?.getElementById("loket")?.dataset.journal || null, heard = false;

  const given = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

  function opened() {
    opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open("neraca-loket", 1);
      request.onupgradeneeded = () => {
        const entries = request.result.createObjectStore("entries", { keyPath: "n", autoIncrement: true });
        entries.createIndex("state", "state");
        entries.createIndex("file", "file");
        entries.createIndex("name", ["event.source", "event.id"]);
      };
      request.onsuccess = () => {
        request.result.onclose = () => { opening = null; };
        resolve(request.result);
      };
      request.onerror = () => { opening = null; reject(request.error); };
    });
    return opening;
  }

  // One transaction: what `work` comes to counts only once it is on the disk.
  async function within(mode, work) {
    const db = await opened();
    return new Promise((resolve, reject) => {
      const transaction = db.transaction("entries", mode, { durability: "strict" });
      let result, fault = null;
      transaction.oncomplete = () => resolve(result);
      transaction.onabort = () => reject(fault || transaction.error);
      work(transaction.objectStore("entries")).then((found) => { result = found; }, (error) => {
        fault = error;
        try { transaction.abort(); } catch { reject(error); }
      });
    });
  }

  const tell = () => { for (const listener of listeners) listener(); };
  if (channel) channel.onmessage = ({ data }) => {
    if (data.journal) journal = data.journal;
    tell();
  };

  // Told here and in every other tab; `settled`: with the journal that the server was heard to keep.
  async function changed(work, settled = false) {
    const result = await within("readwrite", work);
    tell();
    channel?.postMessage({ journal: settled && heard ? journal : null });
    return result;
  }

  // Which journal the server keeps now, as the page or an answer said it; what another one holds is of no account in it.
  function hear(name) {
    if (!name) return;
    const other = name !== journal;
    [journal, heard] = [name, true];
    if (other) tell();
  }
  const past = (entry) => Boolean(entry.journal && journal && entry.journal !== journal);

  const stands = (entry) => entry.state === "waiting" || entry.state === "sent";
  const isRating = (event) => loket.kinds.kindOf(event) === "satisfaction-rated";
  const fileOf = ({ data: { dinas, service, case: number } }) => [dinas ?? "", service ?? "", number ?? ""];
  const made = (event, file, undoes) => ({
    event, file, at: Date.now(), state: "waiting", tried: 0, position: null, journal: null, problem: null, seen: false,
    ...(undoes && { undoes }),
  });

  // A name stands once, and a file's rating: what is kept as such is given back, unless the server has refused it.
  const add = (event) => changed(async (entries) => {
    const file = fileOf(event), ofFile = await given(entries.index("file").getAll(file));
    const held = isRating(event) ? ofFile.find((one) => isRating(one.event) && !past(one))
      : await given(entries.index("name").get([event.source, event.id]));
    if (held && held.state !== "refused") return { entry: held, fresh: false };
    if (held) await given(entries.delete(held.n));
    const entry = made(event, file);
    entry.n = await given(entries.add(entry));
    return { entry, fresh: true };
  });

  // What is to be sent next, in the order in which it was pressed; from now on each of it may be in the journal.
  const gather = (most) => within("readwrite", async (entries) => {
    const found = await given(entries.index("state").getAll("waiting", most));
    for (const entry of found.filter((one) => !one.tried)) {
      entry.tried = Date.now();
      entries.put(entry);
    }
    return found;
  });

  // What a citizen answered is the journal's, or nobody's: once it is not sent again, who sits at the counter finds no trace of it.
  const forgotten = ({ event: { data: { overall, scale, unsur, ...data }, ...event }, ...entry }) => (
    { ...entry, event: { ...event, data } });

  // What the server said of each. The reversal of what it refused has nothing to reverse.
  const settle = (outcomes) => changed(async (entries) => {
    for (const [n, outcome] of outcomes) {
      const held = await given(entries.get(n));
      if (!held) continue;
      const settled = { ...held, ...outcome, journal };
      const entry = settled.state === "refused" && loket.refusals.passing(settled.problem) ? settled : forgotten(settled);
      if (entry.undoes && entry.state === "refused") {
        const target = await given(entries.get(entry.undoes));
        if (target && target.state === "refused") entry.state = "withdrawn";
      }
      entries.put(entry);
    }
  }, true);

  // Taken back: what was never tried is sent to nobody; what may be in the journal is followed by its reversal, if it has one, and
  // by no second one. Gives which it was.
  const undo = (n, reversal) => changed(async (entries) => {
    const entry = await given(entries.get(n));
    if (!entry || !stands(entry)) return "nothing";
    if (entry.state === "waiting" && !entry.tried) {
      entries.put({ ...entry, state: "withdrawn" });
      return "withdrawn";
    }
    const others = await given(entries.index("file").getAll(entry.file));
    const before = others.filter((one) => one.undoes === n);
    if (!reversal || before.some(stands)) return "nothing";
    for (const refused of before) entries.put({ ...refused, seen: true });
    entries.add(made(reversal, entry.file, n));
    return "undone";
  });

  // What was refused for a passing reason waits anew in its old place, as it was pressed, whoever it is sent by now.
  const again = (n, source) => changed(async (entries) => {
    const entry = await given(entries.get(n));
    if (entry?.state !== "refused" || entry.seen || !loket.refusals.passing(entry.problem)) return false;
    entries.put({ ...entry, event: { ...entry.event, source }, state: "waiting", journal: null, problem: null });
    return true;
  });

  const see = (n) => changed(async (entries) => {
    const entry = await given(entries.get(n));
    if (entry?.state === "refused") entries.put({ ...forgotten(entry), seen: true });
  });

  const count = () => within("readonly", async (entries) => {
    const waiting = await given(entries.index("state").count("waiting"));
    const refused = await given(entries.index("state").getAll("refused"));
    return { waiting, refused: refused.filter((entry) => !entry.seen).length };
  });

  const ofFile = (file) => within("readonly", (entries) => given(entries.index("file").getAll(file)));

  const ratingOf = (file) => ofFile(file).then((entries) => entries.find((entry) => isRating(entry.event) && !past(entry)));

  // The last so many, the newest first, and before them whatever was refused and nobody has seen.
  const last = (most) => within("readonly", async (entries) => {
    const found = [];
    for (let cursor = await given(entries.openCursor(null, "prev")); cursor && found.length < most;) {
      found.push(cursor.value);
      const following = given(cursor.request);
      cursor.continue();
      cursor = await following;
    }
    const shown = new Set(found.map((entry) => entry.n));
    const refused = await given(entries.index("state").getAll("refused"));
    return [...refused.filter((entry) => !entry.seen && !shown.has(entry.n)), ...found];
  });

  // Old entries go, once the server has them: never what waits, nor what was refused and not seen.
  const tidy = () => within("readwrite", async (entries) => {
    let kept = 0;
    for (let cursor = await given(entries.openCursor(null, "prev")); cursor;) {
      const { state, seen, at } = cursor.value, done = state !== "waiting" && (state !== "refused" || seen);
      kept += 1;
      if (done && (kept > KEPT_MOST || at < Date.now() - 30 * DAY_MS)) cursor.delete();
      const following = given(cursor.request);
      cursor.continue();
      cursor = await following;
    }
  });

  const listen = (listener) => { listeners.add(listener); };
  loket.queue = { add, gather, settle, undo, again, see, count, ofFile, ratingOf, last, tidy, listen, hear, past, stands };
})();
