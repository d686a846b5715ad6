// The queue: every press is in the browser's own database before the page confirms it. No entry is deleted before
// the server has reported its outcome.
"use strict";
self.loket = self.loket || {};
(() => {
  const KEPT_MOST = 500, DAY_MS = 86400e3, HELD_MS = 15e3, HELD_MOST_MS = 60e3;
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

  // Refused for now: the server holds nothing of it, and it is sent again at pauses that grow.
  const isHeld = (entry) => entry.state === "waiting" && Boolean(entry.problem);
  const isDue = ({ again = 0 }) => again <= Date.now() || again > Date.now() + HELD_MOST_MS;
  const held = (entry) => {
    const pause = Math.min(HELD_MOST_MS, Math.max(HELD_MS, 2 * (entry.pause ?? 0)));
    return { state: "waiting", tried: 0, pause, again: Date.now() + pause };
  };
  const isRating = (event) => loket.kinds.kindOf(event) === "satisfaction-rated";
  const fileOf = ({ data: { dinas, service, case: number } }) => [dinas ?? "", service ?? "", number ?? ""];
  const made = (event, file, more = {}) => ({
    event, file, at: Date.now(), state: "waiting", tried: 0, position: null, journal: null, problem: null, seen: false, ...more,
  });

  // Of the presses on a citizen's screen within a few seconds the last one counts: until then the answer is not sent.
  const isOpen = (entry) => entry.state === "waiting" && !entry.tried && !entry.problem && entry.again > Date.now();

  // A name exists once, and so does a file's rating: an entry that exists is returned, unless the server has refused it.
  const add = (event, more = {}) => changed(async (entries) => {
    const file = fileOf(event), ofFile = await given(entries.index("file").getAll(file));
    const earlier = isRating(event) ? ofFile.find((one) => isRating(one.event) && !past(one))
      : await given(entries.index("name").get([event.source, event.id]));
    if (earlier && earlier.state !== "refused" && !isOpen(earlier)) return { entry: earlier, fresh: false };
    if (earlier) await given(entries.delete(earlier.n));
    const entry = made(event, file, more);
    entry.n = await given(entries.add(entry));
    return { entry, fresh: true };
  });

  // A decision never overtakes a pause or resumption of its file: after it the file takes none.
  function sendable(waiting) {
    const noted = new Set();
    return waiting.filter((entry) => {
      const kind = loket.kinds.kindOf(entry.event), file = String(entry.file);
      if (kind === "permit-paused" || kind === "permit-resumed") noted.add(file);
      return isDue(entry) && !(kind === "permit-processed" && noted.has(file));
    });
  }

  // The next entries to send, in the order of the presses; from now on each may be in the journal.
  const gather = (most) => within("readwrite", async (entries) => {
    const due = sendable(await given(entries.index("state").getAll("waiting"))).slice(0, most);
    const rating = due.findIndex((one) => isRating(one.event));  // sent alone, since its own ticket vouches for it
    const found = rating === 0 ? due.slice(0, 1) : due.slice(0, rating < 0 ? most : rating);
    for (const entry of found.filter((one) => !one.tried)) {
      entry.tried = Date.now();
      entries.put(entry);
    }
    return found;
  });

  // A citizen's answers belong to the journal alone: once no retry needs them, they leave no trace at the counter.
  const forgotten = ({ ticket, event: { data: { overall, scale, unsur, ...data }, ...event }, ...entry }) => (
    { ...entry, event: { ...event, data } });

  // Store the server's outcome of each entry. The reversal of a refused entry has nothing to reverse.
  const settle = (outcomes) => changed(async (entries) => {
    for (const [n, outcome] of outcomes) {
      const known = await given(entries.get(n));
      if (!known) continue;
      const settled = { ...known, problem: null, ...outcome, journal };
      if (settled.state === "refused" && loket.refusals.lifts(settled.problem)) Object.assign(settled, held(known), { journal: null });
      if (settled.replaced && settled.problem) settled.state = "withdrawn";
      const isKept = isHeld(settled) || (settled.state === "refused" && loket.refusals.passing(settled.problem));
      const entry = isKept ? settled : forgotten(settled);
      if (entry.undoes && entry.problem) {
        const target = await given(entries.get(entry.undoes));
        if (target && !stands(target)) entry.state = "withdrawn";
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
    entries.add(made(reversal, entry.file, { undoes: n }));
    return "undone";
  });

  // An entry refused for a passing reason waits again in its old place, unchanged, but with the present sender; one that
  // was refused for now is sent at once.
  const again = (n, source) => changed(async (entries) => {
    const entry = await given(entries.get(n));
    const isPassing = entry?.state === "refused" && !entry.seen && loket.refusals.passing(entry.problem);
    if (!isPassing && !(entry && isHeld(entry))) return false;
    const problem = isPassing ? null : entry.problem;
    entries.put({ ...entry, event: { ...entry.event, source }, state: "waiting", journal: null, problem, again: 0, ticket: null });
    return true;
  });

  // The ticket of a rating, kept: the same answer is sent again under the same name.
  const vouch = (n, ticket) => within("readwrite", async (entries) => {
    const entry = await given(entries.get(n));
    if (entry) entries.put({ ...entry, ticket });
  });

  // All entries that were refused for now are due at once.
  const hasten = () => changed(async (entries) => {
    const waiting = await given(entries.index("state").getAll("waiting"));
    for (const entry of waiting.filter(isHeld)) entries.put({ ...entry, again: 0 });
  });

  // A refused entry was seen, or replaced by another press; a replaced one that waits is never sent again, once the answer to
  // the attempt under way is there. That one may have been lost: it is sent anew at once, and not at the end of its pause.
  const see = (n) => changed(async (entries) => {
    const entry = await given(entries.get(n));
    if (entry?.state === "refused") entries.put({ ...forgotten(entry), seen: true });
    else if (entry && isHeld(entry)) entries.put(entry.tried ? { ...entry, replaced: true, again: 0 } : { ...forgotten(entry), state: "withdrawn" });
  });

  // How many wait, and of these are due or refused for now; and how many refusals nobody has seen.
  const count = () => within("readonly", async (entries) => {
    const waiting = await given(entries.index("state").getAll("waiting"));
    const refused = await given(entries.index("state").getAll("refused"));
    const due = waiting.filter(isDue).length;
    return { waiting: waiting.length, due, held: waiting.filter(isHeld).length, refused: refused.filter((entry) => !entry.seen).length };
  });

  const ofFile = (file) => within("readonly", (entries) => given(entries.index("file").getAll(file)));

  const ratingOf = (file) => ofFile(file).then((entries) => entries.find((entry) => isRating(entry.event) && !past(entry)));

  // The last entries, the newest first, and before them every refused one that nobody has seen or that is refused for now.
  const last = (most) => within("readonly", async (entries) => {
    const found = [];
    for (let cursor = await given(entries.openCursor(null, "prev")); cursor && found.length < most;) {
      found.push(cursor.value);
      const following = given(cursor.request);
      cursor.continue();
      cursor = await following;
    }
    const shown = new Set(found.map((entry) => entry.n));
    const refused = await given(entries.index("state").getAll("refused")), waiting = await given(entries.index("state").getAll("waiting"));
    const urgent = [...refused.filter((entry) => !entry.seen), ...waiting.filter(isHeld)];
    return [...urgent.filter((entry) => !shown.has(entry.n)), ...found];
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
  loket.queue = { add, gather, vouch, isRating, isOpen, settle, undo, again, hasten, see, count, ofFile, ratingOf, last, tidy, listen, hear, past, stands, isHeld };
})();
