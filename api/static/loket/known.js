// A file's state in words: its state, its beginning, and the time it may take.
"use strict";
self.loket = self.loket || {};
(() => {
  const TAGS = { received: "ok", decided: "ok", paused: "paused" };
  const { say, moment, promise, against, pause } = loket.words;

  function tag(known, text) {
    const made = document.createElement("span");
    made.className = `tag ${known}`;
    made.textContent = text;
    return made;
  }

  // Until the server has sent the promise, today's standard applies: `standardUs`.
  function inWords(file, standardUs) {
    const parts = [tag(TAGS[file.state] ?? "", say(`state_${file.state}`, { reason: pause(file.reason) }))], now = Date.now();
    if (file.received_at && file.state !== "none") parts.push(` ${say("received_on", { moment: moment(file.received_at) })}`);
    if (file.received_at && (file.state === "received" || file.state === "paused")) {
      const spent = loket.casefile.elapsed(file, now), stands = file.state === "paused";
      const promised = Number(file.promise_us === undefined ? standardUs : file.promise_us) / 1000;
      const key = file.kind === "due_at" ? (stands ? "due_stands" : "due") : `${stands ? "stands" : "clock"}${promised ? "_of" : ""}`;
      const due = file.kind === "due_at" ? moment(file.due_at) : "";
      parts.push(` · ${say(key, { length: against(spent, promised), promise: promised ? promise(promised) : "", moment: due })}`);
      if (loket.casefile.late(file, promised, now)) parts.push(" ", tag("late", say(due ? "state_overdue" : "state_late")));
    }
    if (file.own) parts.push(` · ${say("here_first")}`);
    return parts;
  }

  loket.known = { inWords };
})();
