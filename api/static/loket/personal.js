// Personal numbers, by the intake's grammar (`domain/intake/personal.py`): none is stored here, not even to be refused later.
"use strict";
self.loket = self.loket || {};
(() => {
  const NIK = ["16", "6-6-4", "4-4-4-4", "6-2-2-2-4", "2-2-2-6-4", "2-2-2-2-2-2-4"], NIP = ["18", "8-6-1-3"], GROUPS_MOST = 7;
  const HEX = "[0-9a-fA-F]", HASHES = [32, 40, 56, 64, 96, 128].map((digits) => `${HEX}{${digits}}`).join("|");
  const BY_CHANCE = new RegExp(
    `(?<![0-9A-Za-z])(?:${HEX}{8}(?:-${HEX}{4}){3}-${HEX}{12}|(?=[0-9]*[a-fA-F])(?:${HASHES}))(?![0-9A-Za-z])`, "g");

  // The digits of a script stand in tens, one after another.
  function digit(letter) {
    const code = letter.codePointAt(0);
    let first = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
    return String((code - first) % 10);
  }

  const plain = (text) => text.normalize("NFKC").replace(/\p{Cf}/gu, "").replace(/\p{Nd}/gu, digit)
    .replace(/\p{Zs}/gu, " ").replace(/\p{Pd}|\u2212/gu, "-").replace(/[\u2044\u2215]/g, "/");

  const within = (number, least, most) => number >= least && number <= most;

  function isNik(digits) {
    const day = Number(digits.slice(6, 8));
    return within(Number(digits.slice(0, 2)), 11, 97) && (within(day, 1, 31) || within(day, 41, 71))
      && within(Number(digits.slice(8, 10)), 1, 12);
  }

  function isNip(digits) {
    const [year, month, day] = [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6, 8)].map(Number);
    const [start, inMonth] = [digits.slice(8, 12), digits.slice(12, 14)].map(Number);
    const isDay = within(month, 1, 12) && within(day, 1, new Date(Date.UTC(year, month, 0)).getUTCDate());
    return year >= 1940 && isDay && within(inMonth, 1, 12) && (start - year) * 12 + inMonth - month >= 180 && /[12]/.test(digits[14]);
  }

  function isNumber(groups) {
    const lengths = groups.map((group) => group.length).join("-"), digits = groups.join("");
    return (NIK.includes(lengths) && isNik(digits)) || (NIP.includes(lengths) && isNip(digits));
  }

  function holds(text) {
    const runs = plain(text).replace(BY_CHANCE, "~").match(/[0-9]+(?:[ ./_-][0-9]+)*/g) || [];
    return runs.some((run) => {
      const groups = run.match(/[0-9]+/g);
      return groups.some((_, first) => Array.from({ length: GROUPS_MOST }, (__, more) => groups.slice(first, first + more + 1)).some(isNumber));
    });
  }

  // A case number of 16 or 18 digits and nothing else is refused whatever they are.
  const refused = (text) => holds(text) || /^(?:[0-9]{16}|[0-9]{18})$/.test(plain(text));

  loket.personal = { holds, refused };
})();
