// A studio that was restarted, or another one that took over, knows none of its visitors. The last
// face's file stays in this tab: one click shows it again, in Receive.
(() => {
  const KEY = "hsc-last-face"; // in sessionStorage, which belongs to this tab and ends with it
  const SHOW = "hsc-show-again";
  const RECEIVE = '#tabs .tab-container:not(.visually-hidden) [data-tab-id="receive"]';
  const EVERY = 30000; // ms
  const SOON = 3000;
  let over = false; // another process answers now
  const file = () => document.querySelector("#received input[type=file]");

  window.rememberFace = async (files) => {
    const face = files.find((each) => each && /\.hsc$/.test(each.url.split("?")[0]));
    if (!face) return;
    if (!over) document.querySelector("#restarted")?.remove(); // a new face has come
    try {
      const answer = await fetch(face.url);
      if (!answer.ok) return;
      const bytes = new Uint8Array(await answer.arrayBuffer());
      sessionStorage.setItem(KEY, btoa(String.fromCharCode(...bytes)));
    } catch {
      // without it the face has to be chosen again
    }
  };

  async function showAgain() {
    const bytes = Uint8Array.from(atob(sessionStorage.getItem(KEY)), (c) => c.charCodeAt(0));
    // the tabs are there before they answer
    while (!file()) {
      document.querySelector(RECEIVE)?.click();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], "face.hsc"));
    file().files = carried.files;
    file().dispatchEvent(new Event("change", { bubbles: true }));
  }

  function offer(text, label, act) {
    document.querySelector("#restarted")?.remove();
    const bar = document.createElement("div");
    bar.id = "restarted";
    bar.setAttribute("role", "status");
    const said = document.createElement("span");
    said.textContent = text;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => { bar.remove(); act(); });
    bar.append(said, button);
    (document.querySelector(".gradio-container") ?? document.body).append(bar);
  }

  let asked = Date.now();
  async function check() {
    asked = Date.now();
    try {
      const answer = await fetch("gradio_api/app_id");
      if (!answer.ok || (await answer.json()).app_id === window.gradio_config.app_id) return;
    } catch {
      return; // not there just now; it is asked again
    }
    over = true;
    const face = sessionStorage.getItem(KEY);
    offer(
      "The studio was restarted and has forgotten this page.",
      face ? "Go on with this face" : "Load the page again",
      () => {
        if (face) sessionStorage.setItem(SHOW, "1");
        location.reload();
      },
    );
  }
  setInterval(() => { if (!over && !document.hidden && Date.now() - asked >= EVERY) check(); }, 5000);
  // whoever does something wants to know at once
  for (const kind of ["pointerup", "keyup"]) {
    document.addEventListener(kind, () => { if (!over && Date.now() - asked >= SOON) check(); });
  }

  // Gradio loads the page again by itself when it loses a connection
  function loaded() {
    const wanted = sessionStorage.getItem(SHOW);
    sessionStorage.removeItem(SHOW);
    if (!sessionStorage.getItem(KEY) || new URLSearchParams(location.search).has("face")) return;
    if (wanted) return showAgain();
    if (performance.getEntriesByType("navigation")[0]?.type !== "reload") return;
    offer("The page was loaded again.", "Go on with the last face", showAgain);
  }
  if (document.readyState === "complete") loaded(); // Gradio may bring this script late
  else addEventListener("load", loaded);
})();
