// Practice only: a switch that cuts this page's network, for on the machine itself no cable can be pulled.
"use strict";
self.loket = self.loket || {};
(() => {
  const cut = document.getElementById("putus");
  // The same events that a browser sends when the network goes and comes.
  cut.addEventListener("change", () => dispatchEvent(new Event(cut.checked ? "offline" : "online")));
  loket.practice = { isCut: () => cut.checked };
})();
