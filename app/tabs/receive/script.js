// Previews of the sliders in this browser: see local_previews.js.
window.localPreviews.attach("received", {
  sliders: "#received-edits",
  prefix: "received-edit-",
  viewer: "received-picture",
  shows: "decoded",
});
