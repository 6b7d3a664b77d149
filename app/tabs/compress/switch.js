({ level, scn, fcn, cache }) => {
  // A level or a layer was chosen: show what this page has shown before of the same face. What it
  // has not is left out and stays as it is, and the studio draws it.
  const memory = (window.hscShown ??= { identity: "", levels: {} });
  if (cache?.identity && cache.identity !== memory.identity) {
    Object.assign(memory, { identity: cache.identity, levels: {} });
  }
  if (cache?.identity && !cache.again) memory.levels[cache.level] = { cache, at: Date.now() };
  const found = cache?.identity ? memory.levels[level] : undefined;
  const layers = [scn && "scn", fcn && "fcn"].filter(Boolean).join("+");
  const values = found?.cache.layers[layers];
  const LASTS = 40 * 60 * 1000; // ms; the studio deletes pictures within an hour
  if (!values || Date.now() - found.at > LASTS) {
    if (layers && cache?.identity) window.hscPending?.(); // what shows is no longer what is asked
    return values ? { cache: {} } : {};
  }
  const file = (path) => ({
    path,
    url: new URL(`gradio_api/file=${path}`, document.baseURI).href,
    orig_name: path.split("/").at(-1),
    meta: { _type: "gradio.FileData" },
  });
  return {
    cache: { ...found.cache, again: true },
    readout: values.readout,
    viewer: values.viewer,
    chip: values.chip,
    measures: "", // those of another picture
    save_file: file(values.file),
    save_picture: file(values.picture),
    save_recipe: file(values.recipe),
    link: values.link,
    share: values.share,
    times: found.cache.times,
    note: "",
  };
}
