// While practice restarts, the server is away for some seconds: poll until it is back, then go there.
(function () {
  const place = document.querySelector("[data-again]").dataset.again;
  async function look() {
    try {
      const answer = await fetch("/healthz", { cache: "no-store" });
      if (answer.ok) {
        location.replace(place);
        return;
      }
    } catch {
      // not back yet
    }
    setTimeout(look, 500);
  }
  setTimeout(look, 1500);
})();
