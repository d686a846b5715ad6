// A sign-in link holds its secret behind the #, which no server, proxy or preview is sent. It goes into the form, and out of
// the address; the person presses the button.
"use strict";
(() => {
  const secret = location.hash.slice(1);
  if (!secret) return;
  document.getElementById("tautan").value = secret;
  history.replaceState(null, "", location.pathname + location.search);
})();
