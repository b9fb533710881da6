// Keeps every file of the playground, so that it works without a network; and adds the two headers without which a
// browser gives no memory that a page and its workers share, and so no KeyboardInterrupt, for servers that do not.

importScripts("contents.js");

const NAME = `${registration.scope} ${CONTENTS.version}`;     // caches are those of all pages of a server
const address = (file) => new URL(file, registration.scope).href;
const FILES = new Set(CONTENTS.files.map(([file]) => address(file)));
const ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"};

// The small ones at once; the others when they are asked for, so that they are loaded once.
addEventListener("install", (event) => {
  const small = CONTENTS.files.filter(([, size]) => size < 1e5).map(([file]) => address(file));
  const requests = small.map((file) => new Request(file, {cache: "reload"}));
  skipWaiting();
  event.waitUntil(caches.open(NAME).then((kept) => kept.addAll(requests)));
});

addEventListener("activate", (event) => {
  const old = (name) => name.startsWith(`${registration.scope} `) && name !== NAME;
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
    .then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const {request} = event, url = request.url.split(/[?#]/)[0];
  const file = url === registration.scope ? address("index.html") : url;
  if (request.method === "GET" && FILES.has(file)) event.respondWith(answer(file));
});

async function answer(file) {
  const kept = await caches.open(NAME);
  let response = await kept.match(file);
  if (!response) {
    response = await fetch(file, {cache: "no-cache"});
    if (response.ok) await kept.put(file, response.clone());
  }
  const headers = new Headers(response.headers);
  Object.entries(ISOLATED).forEach(([name, value]) => headers.set(name, value));
  return new Response(response.body, {status: response.status, statusText: response.statusText, headers});
}
