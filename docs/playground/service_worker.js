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
  skipWaiting();
  event.waitUntil(Promise.all(small.map(load)));
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
  return await kept.match(file) || load(file);
}

// A file of the server's, kept with the headers.
async function load(file) {
  const {ok, status, statusText, headers: sent, body} = await fetch(file, {cache: "no-cache"});
  const headers = new Headers(sent);
  Object.entries(ISOLATED).forEach(([name, value]) => headers.set(name, value));
  const response = new Response(body, {status, statusText, headers});
  if (ok) await (await caches.open(NAME)).put(file, response.clone());
  return response;
}
