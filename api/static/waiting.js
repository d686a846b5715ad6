// A page that waits for a replay polls by itself and replaces only the answer: the reader's place, typing and focus stay,
// and a screen reader announces the end, once. The page has a link that stops the polling.
"use strict";
(() => {
  const WAITS = "[data-again-s]", ANSWER = "#hasil", BESIDE = "section[aria-labelledby=sidik]";
  const SAID = `${ANSWER} > h2, ${ANSWER} > p.told, ${BESIDE} > p > .tag`;
  if (!document.querySelector(WAITS)) return;
  const voice = document.createElement("p");

  // Otherwise the progress would be read out at each poll.
  function quiet(page) {
    for (const told of page.querySelectorAll("main [role=status]")) told.removeAttribute("role");
  }

  async function asked() {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      return answer.status < 500 ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    } catch {
      return null; // away for a moment
    }
  }

  function again() {
    setTimeout(look, 1000 * Number(document.querySelector(WAITS).dataset.againS));
  }

  async function look() {
    const page = await asked();
    if (!page) return again();
    const answer = page.querySelector(ANSWER), beside = page.querySelector(BESIDE), waits = page.querySelector(WAITS);
    if (!answer || !beside) return location.reload(); // another page altogether: signed out, or refused
    quiet(page);
    if (waits) {
      document.querySelector(WAITS).replaceChildren(...waits.childNodes);
      return again();
    }
    const said = [...page.querySelectorAll(SAID)].map((one) => one.textContent.replace(/\s+/g, " ").trim());
    const state = document.querySelector(ANSWER);
    if (answer === beside) state.remove();
    else state.replaceWith(answer);
    renew(document.querySelector(BESIDE), beside);
    voice.textContent = said.join(". ");
  }

  // A form that has the focus, or typed text, stays; all else is replaced.
  function renew(section, fresh) {
    const forms = [...section.children].filter((one) => one.tagName === "FORM");
    for (const node of [...section.childNodes]) if (!forms.includes(node)) node.remove();
    for (const node of [...fresh.childNodes]) {
      const [own] = forms;
      if (own && node.nodeName === "FORM") {
        forms.shift();
        if (!used(own)) own.replaceWith(node);
      } else if (own) {
        own.before(node);
      } else {
        section.append(node);
      }
    }
    if (fresh.id) section.id = fresh.id;
  }

  function used(form) {
    const typed = [...form.querySelectorAll("input")].some((field) => field.value !== field.defaultValue);
    return typed || form.contains(document.activeElement);
  }

  quiet(document);
  voice.className = "sr";
  voice.setAttribute("role", "status");
  document.querySelector("main").append(voice);
  again();
})();
