// Whose page this is: under which names its token speaks. A link from elsewhere brings no cookie, so the page it opens was made
// for nobody; opened once more from here it is the counter's own.
"use strict";
self.loket = self.loket || {};
(() => {
  const OPENED = "neraca-loket-dibuka-lagi", NAMES = "neraca-loket-nama";
  const { nobody, sources } = document.getElementById("loket").dataset, isNobodys = nobody !== undefined;

  // Twice made for nobody, there is nobody: the next link may try again, and no page turns in circles.
  const opened = sessionStorage.getItem(OPENED), leaves = isNobodys && !opened;
  sessionStorage.removeItem(OPENED);
  if (leaves) {
    sessionStorage.setItem(OPENED, "1");
    location.replace(location.pathname + location.search);
  }

  // Signed out, a counter goes on under the names it had: what is pressed meanwhile is not refused once it is signed in.
  if (!isNobodys) localStorage.setItem(NAMES, sources);
  const allowed = JSON.parse(localStorage.getItem(NAMES) ?? sources);

  loket.whose = { allowed, leaves };
})();
