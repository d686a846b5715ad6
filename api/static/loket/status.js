// The state of the counter: connected, or offline since an instant; the number of unsent entries; the next attempt; and a
// cached copy of the page for times without a network.
"use strict";
self.loket = self.loket || {};
(() => {
  const LOOK_MS = 15000, SOON_MS = 1500, LONGEST_MS = 60000, SHOWN_AFTER_MS = 400, SKEW_MS = 60000, SINCE = "neraca-loket-luring";
  const { say, clock, length } = loket.words;
  const root = document.getElementById("loket"), shown = document.getElementById("keadaan");
  const now = document.getElementById("kirim");
  let link = "on", status = 0, skew = 0, tries = 0, timer = 0, pending = 0, fault = "";

  // The beginning of an offline time survives a reload of the page.
  function sinceOf() {
    if (!localStorage.getItem(SINCE)) localStorage.setItem(SINCE, String(Date.now()));
    return Number(localStorage.getItem(SINCE));
  }

  function sign(address) {
    const link = document.createElement("a"), query = new URLSearchParams({ ke: location.pathname + location.search });
    link.href = `${address}${address.includes("?") ? "&" : "?"}${query}`;
    link.textContent = say("signin_link");
    return link;
  }

  async function show() {
    if (!shown) return;
    const { waiting, held, refused } = await loket.queue.count().catch((error) => {
      fault ||= String(error?.name ?? error);
      return { waiting: 0, held: 0, refused: 0 };
    });
    offer(waiting > 0 || link === "off");
    const head = fault ? say("stuck", { why: fault }) : link === "off" ? say("off", { since: clock(sinceOf()) }) : say(link, { status });
    const text = [head, ...(waiting ? [say("unsent", { n: waiting })] : [])].join(" · ");
    const notes = [];
    if (refused) notes.push(say("refused", { n: refused }));
    if (held) notes.push(say("held", { n: held }));
    if (fault) notes.push(say("stuck_note"));
    else if (link === "off") notes.push(say("off_note"));
    if (link === "signin" || link === "forbidden") notes.push(say("signin_note"));
    if (Math.abs(skew) > SKEW_MS) notes.push(say(skew > 0 ? "skew" : "skew_behind", { n: length(Math.abs(skew)) }));
    if (!self.isSecureContext) notes.push(say("not_kept"));
    const [tag, small] = [shown.querySelector(".tag"), shown.querySelector("small")];
    const known = { on: "live", sending: "live", off: "offline", signin: "late", forbidden: "late", odd: "late" }[link];
    const key = JSON.stringify([text, notes]);
    if (shown.dataset.key === key && !shown.hidden) return;
    shown.dataset.key = key;
    tag.className = `tag ${fault ? "late" : known}`;
    tag.textContent = text;
    small.replaceChildren(notes.join(" · "), " ", ...(link === "signin" ? [sign(root.dataset.signin)] : []));
    shown.hidden = false;
  }

  // What can be sent at once by hand; a hidden button gives the keyboard back to the field.
  function offer(can) {
    if (!now) return;
    if (!can && document.activeElement === now) document.getElementById("nomor").focus();
    now.hidden = !can;
  }

  // Passing states are not announced: "sending" is shown only if it lasts long enough to be read.
  function heard(said) {
    if (!Number.isNaN(said.date)) skew = Date.now() - said.date;
    clearTimeout(pending);
    link = said.link;
    status = said.status ?? 0;
    if (link !== "off" && link !== "sending") localStorage.removeItem(SINCE);
    if (link === "sending") pending = setTimeout(show, SHOWN_AFTER_MS);
    else show();
  }

  async function probe() {
    const before = link;
    try {
      const answer = await loket.sending.asked("/healthz", { patience_ms: tries ? 2500 : 8000 });
      const there = answer.status === 200 && answer.body?.status === "ok";
      return { link: there ? (["signin", "forbidden", "odd"].includes(before) ? before : "on") : "off", date: answer.date, status };
    } catch {
      return { link: "off", date: NaN };
    }
  }

  // While nobody answers, look every second or two: what waits leaves within seconds of the network's return. A server that
  // refuses this counter is asked less often the longer it does, and one that names a pause gets it.
  function pauseAfter(after = 0) {
    if (!tries) return LOOK_MS;
    const longest = link === "off" && !fault ? SOON_MS : LONGEST_MS;
    return Math.max(after, Math.min(longest, 500 * 2 ** Math.min(tries, 7)) * (0.75 + Math.random() / 2));
  }

  // Try now, and in any case again later.
  async function look() {
    clearTimeout(timer);
    let after = 0;
    try {
      const { due } = await loket.queue.count();
      const said = due ? await loket.sending.send(heard) : await probe();
      fault = "";
      heard(said);
      after = said.after;
      tries = link === "on" ? 0 : tries + 1;
    } catch (error) {
      fault = String(error?.name ?? error);
      tries += 1;
      show();
    } finally {
      clearTimeout(timer);
      timer = setTimeout(look, pauseAfter(after));
    }
  }

  // By hand: whatever waits is sent now, what was refused for now too.
  async function sendNow() {
    tries = 0;
    await loket.queue.hasten();
    await look();
  }

  // A browser that supports it sends waiting entries even once this page is closed.
  async function later() {
    if (loket.practice?.isCut()) return;
    try {
      const registration = await navigator.serviceWorker?.getRegistration("/loket");
      await registration?.sync?.register("loket");
    } catch { /* then this page sends it when it is next open */ }
  }

  // Every address at which this counter may be opened again, and that of its citizen's screen.
  function pages() {
    const { counter, rating, dinas } = root.dataset, named = new URL(counter, location.href);
    if (dinas) named.searchParams.set("dinas", dinas);
    return [...new Set([location.href, named.href, counter, rating])];
  }

  async function keep() {
    navigator.storage?.persist?.();
    if (!("serviceWorker" in navigator)) return;
    await navigator.serviceWorker.register("/loket-sw.js", { scope: "/loket", updateViaCache: "none" });
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage({ pages: pages(), parts: JSON.parse(root.dataset.keep) });
  }

  function start() {
    loket.queue.listen(show);
    addEventListener("online", () => { tries = 0; loket.sending.drop(); look(); });
    addEventListener("offline", () => { loket.sending.drop(); heard({ link: "off", date: NaN }); });
    addEventListener("focus", look);
    now?.addEventListener("click", sendNow);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
    loket.queue.tidy().catch((error) => console.warn(String(error)));
    look();
    keep().catch((error) => console.warn(String(error)));
  }

  loket.status = { start, look, later };
})();
