// Words: the page's labels, filled in, and how this language writes instants, lengths and figures.
"use strict";
self.loket = self.loket || {};
(() => {
  const DAY_MS = 86400e3, root = document.getElementById("loket");
  const said = JSON.parse(root.dataset.said), refusals = JSON.parse(root.dataset.refusals);
  const pauses = JSON.parse(root.dataset.pauses);
  const locale = document.documentElement.lang === "en" ? "en-GB" : "id-ID", zone = root.dataset.zone;
  const clockFormat = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone });
  const dayFormat = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: zone });
  const dateFormat = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric", timeZone: zone });
  const numberFormat = new Intl.NumberFormat(locale), plurals = new Intl.PluralRules(locale);

  // A message that counts is a list of its plural forms, the singular first; the count is {n}.
  const formOf = (message, n) =>
    typeof message === "string" ? message : message[plurals.select(n) === "one" ? 0 : message.length - 1];
  const written = (value) => (typeof value === "number" ? numberFormat.format(value) : value ?? "");
  const say = (name, values = {}) => formOf(said[name], values.n).replace(/\{(\w+)\}/g, (_, blank) => written(values[blank]));
  const clock = (at) => clockFormat.format(new Date(at));
  const day = (at) => dayFormat.format(new Date(at));
  const number = (value) => numberFormat.format(value);

  function moment(at) {
    const date = dateFormat.format(new Date(at));
    return date === dateFormat.format(new Date()) ? say("today", { clock: clock(at) }) : `${date}, ${clock(at)}`;
  }

  // Lengths are written as the server's pages write them, in `api/pages/words.py`.
  function length(ms) {
    const minutes = Math.floor(ms / 60000), hours = Math.floor(minutes / 60);
    if (hours >= 48 || (hours && minutes % 60 === 0)) return say("hours", { n: hours });
    const rest = say("minutes", { n: minutes % 60 });
    return hours ? `${say("hours", { n: hours })} ${rest}` : rest;
  }

  // A promise has one unit: whole days, from three on, or hours. What is measured against it is written in that unit too.
  const inDays = (ms) => ms >= 3 * DAY_MS && ms % DAY_MS === 0;
  const promise = (ms) => (inDays(ms) ? say("days", { n: ms / DAY_MS }) : length(ms));
  function against(ms, promised) {
    const days = Math.floor(ms / DAY_MS), hours = Math.floor((ms % DAY_MS) / 3600e3);
    if (!promised || !days || !inDays(promised)) return length(ms);
    return say("days", { n: days }) + (hours ? ` ${say("hours", { n: hours })}` : "");
  }

  const step = (event) => loket.steps.nameOf(event) === "paused"
    ? say("step_paused", { reason: pauses[event.data.reason] }) : say(`step_${loket.steps.nameOf(event)}`);

  // What holds the place of a refused step: often the opposite decision, of another counter.
  function conflict({ outcome, source, time }) {
    const [, room, , counter] = source.split("/"), where = room === "loket" && counter ? say("counter", { n: decodeURIComponent(counter) }) : source;
    const held = refusals[`held_${outcome}`];
    return held && time ? held.replace("{where}", where).replace("{moment}", moment(time)) : refusals["natural-key-held"];
  }

  // A refusal for a clerk: in this language if it is a known one, and always with the field it names.
  function refusal(problem) {
    if (!problem) return "";
    const slug = loket.refusals.slugOf(problem);
    if (problem.type === "about:blank") return refusals.on_the_way.replace("{status}", problem.status);
    if (slug === "natural-key-held" && problem.holder) return conflict(problem.holder);
    const faults = (problem.errors || []).map(({ pointer, detail }) => {
      const known = refusals[loket.refusals.meant(detail) ?? slug], field = pointer.split("/").pop();
      return (known ?? `${refusals.invalid}: ${detail}`) + (field ? ` (${refusals.field.replace("{field}", field)})` : "");
    });
    if (faults.length) return faults.join("; ");
    return refusals[slug] ?? (problem.detail || problem.title);
  }

  const pause = (reason) => pauses[reason] ?? reason;
  loket.words = { say, clock, day, moment, number, length, promise, against, step, refusal, pause };
})();
