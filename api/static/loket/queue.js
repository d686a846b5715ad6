// The queue: what was pressed, in the browser's own database before anybody is told that it is done. Nothing here is
// forgotten until the server has said what became of it.
"use strict";
self.loket = self.loket || {};
(() => {
  const KEPT_MOST = 500, DAY_MS = 86400e3;
  const channel = "BroadcastChannel" in self ? new BroadcastChannel("neraca-loket") : null;
  const listeners = new Set();
  let opening = null;

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

  function tell() {
    for (const listener of listeners) listener();
    if (channel) channel.postMessage("changed");
  }
  if (channel) channel.onmessage = () => { for (const listener of listeners) listener(); };

  async function changed(work) {
    const result = await within("readwrite", work);
    tell();
    return result;
  }

  const isRating = ({ type }) => type.startsWith("neraca.satisfaction-rated.");

  // A name stands once, and a file's rating: what is kept as such is given back, unless the server has refused it.
  const add = (event, more = {}) => changed(async (entries) => {
    const { dinas, service, case: number } = event.data, file = [dinas ?? "", service ?? "", number ?? ""];
    const held = isRating(event) ? (await given(entries.index("file").getAll(file))).find((one) => isRating(one.event))
      : await given(entries.index("name").get([event.source, event.id]));
    if (held && held.state !== "refused") return { entry: held, fresh: false };
    if (held) await given(entries.delete(held.n));
    const entry = { event, file, at: Date.now(), state: "waiting", tried: 0,
                    position: null, problem: null, seen: false, ...more };
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

  // What a citizen answered is the journal's from now on: who sits at the counter finds no trace of it here.
  const forgotten = ({ overall, scale, unsur, ...data }) => data;

  // What the server said of each. The reversal of what it refused has nothing to reverse.
  const settle = (outcomes) => changed(async (entries) => {
    for (const [n, outcome] of outcomes) {
      const entry = await given(entries.get(n));
      if (!entry) continue;
      Object.assign(entry, outcome);
      if (entry.state === "sent") entry.event = { ...entry.event, data: forgotten(entry.event.data) };
      if (entry.undoes && entry.state === "refused") {
        const target = await given(entries.get(entry.undoes));
        if (target && target.state === "refused") entry.state = "withdrawn";
      }
      entries.put(entry);
    }
  });

  // Taken back before it was tried: it is sent to nobody. False where it may be in the journal already.
  const withdraw = (n) => changed(async (entries) => {
    const entry = await given(entries.get(n));
    if (!entry || entry.state !== "waiting" || entry.tried) return false;
    entry.state = "withdrawn";
    entries.put(entry);
    return true;
  });

  const see = (n) => changed(async (entries) => {
    const entry = await given(entries.get(n));
    if (entry) entries.put({ ...entry, seen: true });
  });

  const count = () => within("readonly", async (entries) => {
    const waiting = await given(entries.index("state").count("waiting"));
    const refused = await given(entries.index("state").getAll("refused"));
    return { waiting, refused: refused.filter((entry) => !entry.seen).length };
  });

  const ofFile = (file) => within("readonly", (entries) => given(entries.index("file").getAll(file)));

  const ratingOf = (file) => ofFile(file).then((entries) => entries.find((entry) => isRating(entry.event)));

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
  loket.queue = { add, gather, settle, withdraw, see, count, ofFile, ratingOf, last, tidy, listen };
})();
