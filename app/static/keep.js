// Downloads that still work when the server has deleted its files, which it does within the hour:
// the browser fetches them before, and keeps them as long as the page is open.
(() => {
  const AFTER = 20 * 60 * 1000; // ms; the server keeps a file for 49 minutes at least
  const groups = new Map(); // buttons that change together -> addresses of their files
  const kept = new Map(); // address -> blob address, or the promise of one

  const fetchFile = async (address) => {
    try {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(answer.status);
      const blob = URL.createObjectURL(await answer.blob());
      if (kept.has(address)) kept.set(address, blob);
      else URL.revokeObjectURL(blob); // replaced meanwhile
    } catch {
      kept.delete(address); // it is tried again next time
    }
  };

  const fetchAll = () => {
    for (const address of [...groups.values()].flat()) {
      if (!kept.has(address)) kept.set(address, fetchFile(address));
    }
  };

  const forget = () => {
    const used = new Set([...groups.values()].flat());
    for (const [address, blob] of kept) {
      if (used.has(address)) continue;
      kept.delete(address);
      if (typeof blob === "string") URL.revokeObjectURL(blob);
    }
  };

  let timer;
  window.keepDownloads = (group, files) => {
    groups.set(group, files.filter(Boolean).map((file) => new URL(file.url, location.href).href));
    window.rememberFace(files.filter(Boolean)); // restart.js
    forget();
    clearTimeout(timer);
    timer = setTimeout(fetchAll, AFTER);
  };

  // a phone that is put away may not come back before the files are gone
  document.addEventListener("visibilitychange", () => { if (document.hidden) fetchAll(); });

  // gr.DownloadButton makes a link, clicks on it and takes it away
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[download]");
    const blob = link && kept.get(link.href);
    if (typeof blob === "string") link.href = blob;
  }, true);
})();
