(level, scn, fcn, known) => {
  // A level or a layer was chosen: show what this page has shown before of the same face. What it
  // has not stays as it is (undefined), and the studio draws it.
  const memory = (window.hscShown ??= { of: "", levels: {} });
  if (known?.of && known.of !== memory.of) Object.assign(memory, { of: known.of, levels: {} });
  if (known?.of && !known.again) memory.levels[known.level] = { known, at: Date.now() };
  const found = known?.of ? memory.levels[level] : undefined;
  const layers = [scn && "scn", fcn && "fcn"].filter(Boolean).join("+");
  const shown = found?.known.layers[layers];
  const LASTS = 40 * 60 * 1000; // ms; the studio deletes pictures within an hour
  if (!shown) return Array(13);
  if (Date.now() - found.at > LASTS) return [{}, ...Array(12)];
  const file = (path) => ({
    path,
    url: new URL(`gradio_api/file=${path}`, document.baseURI).href,
    orig_name: path.split("/").at(-1),
    meta: { _type: "gradio.FileData" },
  });
  const update = (more) => ({ __type__: "update", ...more });
  const picture = ([path, label]) =>
    update({ value: file(path), label, elem_classes: ["picture"] });
  return [
    { ...found.known, again: true },
    shown.readout,
    picture(found.known.only_scn),
    picture(found.known.both),
    update({ value: shown.compare.map(file), label: shown.label }),
    "", // figures of another picture
    file(shown.file),
    file(shown.picture),
    file(shown.recipe),
    shown.link,
    shown.share,
    found.known.times,
    "",
  ];
}
