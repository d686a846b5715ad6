// The city's own time: that of a clock on its wall, in any zone of this device.
"use strict";
self.loket = self.loket || {};
(() => {
  const DAY_MS = 86400e3;

  // The zone's offset from UTC at an instant, in milliseconds.
  function ahead(at, zone) {
    const format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    });
    const said = Object.fromEntries(format.formatToParts(new Date(at)).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(said.year, said.month - 1, said.day, said.hour, said.minute, said.second) - Math.floor(at / 1000) * 1000;
  }

  // The instant of a local time, as a form's field writes it: the first one if the time comes twice; `null` if it never comes
  // or cannot be read, such as a year of five digits.
  function instant(local, zone) {
    const wall = Date.parse(`${local}Z`);
    if (Number.isNaN(wall)) return null;
    const found = [wall - DAY_MS, wall + DAY_MS].map((near) => wall - ahead(near, zone)).filter((at) => at + ahead(at, zone) === wall);
    return found.length ? new Date(Math.min(...found)).toISOString() : null;
  }

  // The value of a field: an instant, nothing yet, or a fault.
  function said(field, zone) {
    if (field.validity.badInput || (field.value && Number.isNaN(Date.parse(`${field.value}Z`)))) return { fault: "unread_time" };
    const at = field.value ? instant(field.value, zone) : undefined;
    return at === null ? { fault: "no_such_time" } : { at };
  }

  loket.zone = { instant, said };
})();
