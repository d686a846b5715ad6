// The city's own time: what a clock on its wall says, whatever zone this device is set to.
"use strict";
self.loket = self.loket || {};
(() => {
  const DAY_MS = 86400e3;

  // How far the zone's wall is ahead of UTC at an instant, in milliseconds.
  function ahead(at, zone) {
    const format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    });
    const said = Object.fromEntries(format.formatToParts(new Date(at)).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(said.year, said.month - 1, said.day, said.hour, said.minute, said.second) - Math.floor(at / 1000) * 1000;
  }

  // The instant of a local time, as a form's field writes it: of one that comes twice the first, and `null` for one that never comes
  // or cannot be read, as of a year of five digits.
  function instant(local, zone) {
    const wall = Date.parse(`${local}Z`);
    if (Number.isNaN(wall)) return null;
    const found = [wall - DAY_MS, wall + DAY_MS].map((near) => wall - ahead(near, zone)).filter((at) => at + ahead(at, zone) === wall);
    return found.length ? new Date(Math.min(...found)).toISOString() : null;
  }

  // What a field says: an instant, nothing yet, or what is wrong with it.
  function said(field, zone) {
    if (field.validity.badInput || (field.value && Number.isNaN(Date.parse(`${field.value}Z`)))) return { fault: "unread_time" };
    const at = field.value ? instant(field.value, zone) : undefined;
    return at === null ? { fault: "no_such_time" } : { at };
  }

  loket.zone = { instant, said };
})();
