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
    said.append("A part of this page does not arrive. ", link);
    said.style.cssText = "margin: 20vh auto 0; padding: 0 16px; font-size: 18px; text-align: center";
    document.body.prepend(said);
  }

  function check() {
    if (document.querySelector("#tabs [role=tab]")) {
      clearInterval(timer);
      sessionStorage.removeItem(KEY);
      said?.remove();
      return;
    }
    const files = performance.getEntriesByType("resource").length;
    if (files !== arrived || document.hidden) {
      arrived = files;
      since = Date.now();
    }
    if (said || Date.now() - since < STALL) return;
    if (sessionStorage.getItem(KEY)) return say(); // a slow link may still bring it
    sessionStorage.setItem(KEY, "1");
    location.reload();
  }
  const timer = setInterval(check, EVERY);
})();
