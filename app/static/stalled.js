// Gradio draws the page with a hundred files. Without one of them it stays empty for ever: it is
// then loaded again, once by itself. No script of Gradio's brings this one: it is in the HTML.
(() => {
  const KEY = "hsc-loaded-again"; // in sessionStorage
  const EVERY = 5000; // ms
  const STALL = 60000; // ms in which no file has arrived
  let arrived = 0;
  let since = Date.now();
  let said;

  function say() {
    said = document.createElement("p");
    said.id = "stalled";
    said.setAttribute("role", "alert");
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = "Load it again";
    link.style.color = "inherit"; // Gradio has no style for it yet, and blue cannot be read on black
    said.append("A part of this page does not arrive. ", link);
    said.style.cssText = "margin: 20vh auto 0; padding: 0 16px; font-size: 18px; text-align: center";
    document.body.prepend(said);
  }

  /** Whether this is the second time; it is taken for that where a browser keeps nothing. */
  function again() {
    try {
      const known = sessionStorage.getItem(KEY);
      sessionStorage.setItem(KEY, "1");
      return Boolean(known);
    } catch {
      return true;
    }
  }

  function forget() {
    try {
      sessionStorage.removeItem(KEY);
    } catch {
      // nothing was kept
    }
  }

  function check() {
    if (document.querySelector("gradio-app button")) { // the page, or where one logs in
      clearInterval(timer);
      forget();
      said?.remove();
      return;
    }
    const files = performance.getEntriesByType("resource").length;
    if (files !== arrived || document.hidden) {
      arrived = files;
      since = Date.now();
    }
    if (said || Date.now() - since < STALL) return;
    if (again()) say(); // a slow link may still bring it
    else location.reload();
  }
  const timer = setInterval(check, EVERY);
})();
