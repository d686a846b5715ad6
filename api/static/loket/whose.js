// The owner of this page: the sources that its token allows. A link from elsewhere sends no cookie, so its page was made
// without a token; opened once more from here it is the counter's own.
"use strict";
self.loket = self.loket || {};
(() => {
  const OPENED = "neraca-loket-dibuka-lagi", NAMES = "neraca-loket-nama";
  const { nobody, sources } = document.getElementById("loket").dataset, isNobodys = nobody !== undefined;

  // Made without a token twice, the page stays: the next link may try again, and no page reloads for ever.
  const opened = sessionStorage.getItem(OPENED), leaves = isNobodys && !opened;
  sessionStorage.removeItem(OPENED);
  if (leaves) {
    sessionStorage.setItem(OPENED, "1");
    location.replace(location.pathname + location.search + location.hash);
  }

  // Signed out, a counter goes on under the names it had: presses meanwhile are not refused once it is signed in.
  if (!isNobodys) localStorage.setItem(NAMES, sources);
  const allowed = JSON.parse(localStorage.getItem(NAMES) ?? sources);

  loket.whose = { allowed, leaves };
})();
