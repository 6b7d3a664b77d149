(scn, fcn, by_layers) => {
  // A layer was switched: show what the page already knows of that choice. What it does not know
  // stays as it is (undefined), and the studio draws it.
  const shown = by_layers?.[[scn && "scn", fcn && "fcn"].filter(Boolean).join("+")];
  if (!shown) return Array(9);
  const file = (path) => ({
    path,
    url: new URL(`gradio_api/file=${path}`, document.baseURI).href,
    orig_name: path.split("/").at(-1),
    meta: { _type: "gradio.FileData" },
  });
  return [
    shown.readout,
    { __type__: "update", value: shown.compare.map(file), label: shown.label },
    "", // figures of another picture
    file(shown.file),
    file(shown.picture),
    file(shown.recipe),
    shown.link,
    shown.share,
    "",
  ];
}
