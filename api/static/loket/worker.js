// The worker of /loket: the page opens without a network, and waiting entries are sent though no page is open. It caches
// pages and their parts, never the answers of /v1.
"use strict";
const PATIENCE_MS = 3000, KEPT = "neraca-loket", BUILD = "{build}";
importScripts(...["kinds", "refusals", "queue", "sending"].map((name) => `/static/loket/${name}.js?v=${BUILD}`));

// A page is one for each unit and language: the counter's number, its clerk and the case are read by the script.
function nameOf(address) {
  const url = new URL(address, self.location), kept = new URLSearchParams();
  for (const name of ["dinas", "lang", "service"]) {
    if (url.pathname === "/loket" && name === "service") continue;
    if (url.pathname !== "/loket" && name !== "lang") continue;
    if (url.searchParams.get(name)) kept.set(name, url.searchParams.get(name));
  }
  return `${url.origin}${url.pathname}?${kept}`;
}

async function keep(name, answer) {
  if (answer.ok && !answer.redirected) await (await caches.open(KEPT)).put(name, answer.clone());
  return answer;
}

// A page made without a token, after a link from elsewhere or an expired cookie, never replaces one that knows its token.
const isNobodys = async (answer) => (await answer.clone().text()).includes(' id="loket" data-nobody');
async function keepPage(name, answer) {
  const held = answer.ok && await caches.match(name, { ignoreVary: true });
  return held && await isNobodys(answer) && !await isNobodys(held) ? answer : keep(name, answer);
}

// A dead line, and a gateway without a server behind it, count as no network: the cached page opens.
async function page(request) {
  const held = caches.match(nameOf(request.url), { ignoreVary: true });
  const fetched = fetch(request).then((answer) => keepPage(nameOf(request.url), answer));
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  const answer = await Promise.race([fetched.catch(() => null), late]);
  if (answer && answer.status < 500) return answer;
  return (await held) ?? answer ?? fetched;
}

// The address of a part contains a hash of its content: a cached part equals a fetched one.
async function part(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? keep(request.url, await fetch(request));
}

const PART = /\/static\/[\w./-]+\?v=\w+/g, isPart = ({ url }) => new URL(url).pathname.startsWith("/static/");

// A page of another language or of an older build names parts of its own: a part is deleted once no cached page names it.
async function keepAll({ pages, parts }) {
  const cache = await caches.open(KEPT);
  await Promise.all(parts.map(async (address) => (await cache.match(address)) ?? cache.add(address)));
  await Promise.all(pages.map(async (address) => keepPage(nameOf(address), await fetch(address, { credentials: "same-origin" }))));
  const held = await cache.keys(), texts = held.filter((one) => !isPart(one)).map(async (one) => (await cache.match(one)).text());
  const named = [...parts, ...(await Promise.all(texts)).flatMap((text) => text.match(PART) ?? [])];
  const wanted = new Set(named.map((address) => new URL(address, self.location).href));
  await Promise.all(held.filter((one) => isPart(one) && !wanted.has(one.url)).map((one) => cache.delete(one)));
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => event.waitUntil(keepAll(event.data)));
self.addEventListener("sync", (event) => {
  if (event.tag === "loket") event.waitUntil(loket.sending.send().then((said) => {
    if (said.link === "off") throw new Error("not sent yet");
  }));
});
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && (url.pathname === "/loket" || url.pathname === "/loket/warga")) event.respondWith(page(event.request));
  else if (url.pathname.startsWith("/static/") && url.searchParams.has("v")) event.respondWith(part(event.request));
});
