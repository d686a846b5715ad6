// A page that says how far something is looks again by itself; the page has a link that stops it.
(function () {
  const place = document.querySelector("[data-again-s]");
  if (place) setTimeout(() => location.reload(), 1000 * Number(place.dataset.againS));
})();
