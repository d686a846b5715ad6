// The ticket in the address's fragment goes into the form, and out of the address: it is sent with the answers alone.
"use strict";
(() => {
  const field = document.querySelector("#tiket input"), ticket = new URLSearchParams(location.hash.slice(1)).get("tiket");
  if (!field || !ticket) return;
  field.value = ticket;
  document.getElementById("tiket").hidden = true;
  for (const link of document.querySelectorAll("a[hreflang]")) link.hash = location.hash;
  history.replaceState(null, "", location.pathname + location.search);
})();
