// At the counter: the citizen's screen and its QR, of the file decided last here and not rated yet.
"use strict";
self.loket = self.loket || {};
(() => {
  const { say } = loket.words, by = (id) => document.getElementById(id);
  const root = document.getElementById("loket"), part = document.getElementById("warga"), link = document.getElementById("nilai");
  const code = document.getElementById("qr"), picture = code?.querySelector("img");

  function lastOf(all) {
    const named = (entry) => loket.steps.nameOf(entry.event), { past, stands } = loket.queue, now = all.filter((one) => !past(one));
    const rated = new Set(now.filter((one) => named(one) === "rated").map((one) => String(one.file)));
    const undone = new Set(now.filter((one) => one.undoes && stands(one)).map((one) => one.undoes));
    return now.find((one) => ["issued", "rejected"].includes(named(one)) && one.file[0] === root.dataset.dinas && stands(one)
      && !undone.has(one.n) && !rated.has(String(one.file)));
  }

  // A phone without a script asks for the code that is written here; never for that of the file before.
  async function writeCode(query) {
    by("kode").textContent = "";
    const answer = await loket.sending.asked(`/loket/tiket?${query}`).catch(() => null);
    if (answer?.status !== 200 || picture.dataset.of !== String(query)) return;
    by("kode").textContent = new URLSearchParams(new URL(answer.body.address).hash.slice(1)).get("tiket");
  }

  function offer(all) {
    if (!part) return;  // no ratings are taken here
    const last = lastOf(all);
    part.hidden = !last;
    if (!last) return;
    const [dinas, service, number] = last.file, query = new URLSearchParams({ dinas, service, case: number });
    const address = new URL(root.dataset.rating, location.href);
    for (const [name, value] of query) address.searchParams.set(name, value);
    link.href = address;
    link.textContent = say("rate", { case: number });
    // The server makes the code: without a network there is none, and the screen remains.
    if (picture && last.state === "sent" && picture.dataset.of !== String(query)) {
      picture.dataset.of = query;
      code.hidden = true;
      picture.onload = () => { code.hidden = false; };
      picture.onerror = () => { delete picture.dataset.of; };
      picture.src = `/loket/qr.svg?${query}`;
      writeCode(query);
    }
  }

  loket.citizen = { offer };
})();
