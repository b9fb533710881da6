// The service worker that keeps the page's files, and gives it memory that it shares with its workers.

const RELOADED = "reloaded to share memory";

// Resolves when all that follows may be loaded; never if the page is loaded once more, with its headers.
export async function keep() {
  if (!navigator.serviceWorker) return;
  try {
    const found = await navigator.serviceWorker.register("service_worker.js", {updateViaCache: "none"});
    const wasThere = Boolean(found.active);
    if (!navigator.serviceWorker.controller && !wasThere) await controlled();
  } catch {
    return;     // a browser that keeps nothing runs Python all the same
  }
  if (!crossOriginIsolated && navigator.serviceWorker.controller && !sessionStorage.getItem(RELOADED)) {
    sessionStorage.setItem(RELOADED, "yes");
    location.reload();
    await new Promise(() => {});
  }
}

const controlled = () => new Promise((resolve) => {
  navigator.serviceWorker.addEventListener("controllerchange", resolve, {once: true});
  setTimeout(resolve, 5000);
});

// Whether every file is kept, so that the page opens without a network.
export async function isKept() {
  if (!navigator.serviceWorker?.controller) return false;
  const scope = new URL(".", location.href).href;
  const kept = await caches.open(`${scope} ${CONTENTS.version}`);
  const names = new Set((await kept.keys()).map((request) => request.url));
  return CONTENTS.files.every(([file]) => names.has(scope + file));
}
