// The queue: every press is in the browser's own database before the page confirms it. No entry is deleted before
// the server has reported its outcome.
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

  // One transaction: the result of `work` is returned only once it is on the disk.
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

  // Notifies this tab and every other; `settled`: with the journal's name as the server reported it.
  async function changed(work, settled = false) {
    const result = await within("readwrite", work);
    tell();
    channel?.postMessage({ journal: settled && heard ? journal : null });
    return result;
  }

  // Note the journal that the server keeps now, from the page or an answer; entries of another journal do not count.
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

  // A name exists once, and so does a file's rating: an entry that exists is returned, unless the server has refused it.
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

  // The next entries to send, in the order of the presses; from now on each may be in the journal.
  const gather = (most) => within("readwrite", async (entries) => {
    const found = await given(entries.index("state").getAll("waiting", most));
    for (const entry of found.filter((one) => !one.tried)) {
      entry.tried = Date.now();
      entries.put(entry);
    }
    return found;
  });

  // A citizen's answers belong to the journal alone: once no retry needs them, they leave no trace at the counter.
  const forgotten = ({ event: { data: { overall, scale, unsur, ...data }, ...event }, ...entry }) => (
    { ...entry, event: { ...event, data } });

  // Store the server's outcome of each entry. The reversal of a refused entry has nothing to reverse.
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

  // Undo an entry: if it was never tried, it is not sent; if it may be in the journal, its reversal follows, if there is one,
  // and no second one. Returns the case that applied.
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

  // An entry refused for a passing reason waits again in its old place, unchanged, but with the present sender.
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

  // The last entries, the newest first, and before them every refused one that nobody has seen.
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

  // Delete old entries that the server has, but never waiting ones, nor refused ones that nobody has seen.
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
