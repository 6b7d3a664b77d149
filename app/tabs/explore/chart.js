// Draws the figure in `props.value` with Plotly and reports clicks. Colours are written as CSS
// variables, var(--name), and follow the theme.
const box = () => element.querySelector('.chart');
const mouse = matchMedia('(pointer: fine)').matches;

const coloured = (node, style) => {
  if (typeof node === 'string' && node.startsWith('var(')) {
    return style.getPropertyValue(node.slice(4, -1)).trim() || '#888';
  }
  if (Array.isArray(node)) return node.map((one) => coloured(one, style));
  if (node && typeof node === 'object') {
    return Object.fromEntries(
      Object.entries(node).map(([key, value]) => [key, coloured(value, style)]));
  }
  return node;
};

// Portraits on a map: cut out of one sheet, as circles.
const sheets = new Map();
const sheet = (url) => {
  if (!sheets.has(url)) {
    sheets.set(url, new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = () => resolve(image);
      image.onerror = reject;
      image.src = url;
    }));
  }
  return sheets.get(url);
};
const portraits = async (wanted) => {
  const image = await sheet(wanted.sheet);
  const side = wanted.side;
  const across = Math.round(image.width / side);
  return wanted.faces.map(([number, x, y]) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = side;
    const pen = canvas.getContext('2d');
    pen.beginPath();
    pen.arc(side / 2, side / 2, side / 2 - 0.5, 0, 2 * Math.PI);
    pen.clip();
    pen.drawImage(image, (number % across) * side, Math.floor(number / across) * side, side, side,
      0, 0, side, side);
    return {source: canvas.toDataURL(), x, y, xref: 'x', yref: 'y', sizex: wanted.width,
      sizey: wanted.height, xanchor: 'center', yanchor: 'middle', layer: 'below'};
  });
};

const draw = async () => {
  const place = box();
  if (!place || !props.value || typeof Plotly === 'undefined') return;
  const value = props.value;
  const figure = JSON.parse(value);
  const {data, layout} = coloured(figure, getComputedStyle(document.body));
  const shown = {...layout, dragmode: mouse && figure.zoom ? 'zoom' : false};
  if (figure.portraits) shown.images = await portraits(figure.portraits);
  if (props.value !== value || !place.isConnected) return; // a newer one has come meanwhile
  await Plotly.react(place, data, shown, {displayModeBar: false, responsive: true});
  if (place.dataset.listens) return;
  place.dataset.listens = 'yes';
  place.on('plotly_click', (event) => {
    const point = event.points.find((one) => one.customdata !== undefined);
    if (point) trigger('pick', {x: point.x, y: point.y, id: point.customdata});
  });
  if (!ANYWHERE) return;
  let down = null;
  place.addEventListener('pointerdown', (event) => { down = [event.clientX, event.clientY]; }, true);
  place.addEventListener('click', (event) => {
    const moved = down && Math.hypot(event.clientX - down[0], event.clientY - down[1]) > 4;
    const area = place.querySelector('.nsewdrag')?.getBoundingClientRect();
    if (moved || !area || (place._hoverdata || []).some((one) => one.customdata !== undefined)) return;
    const across = event.clientX - area.left;
    const along = event.clientY - area.top;
    if (across < 0 || along < 0 || across > area.width || along > area.height) return;
    const {xaxis, yaxis} = place._fullLayout;
    trigger('pick', {x: xaxis.p2d(across), y: yaxis.p2d(along), id: null});
  });
};

watch('value', draw);
new MutationObserver(draw).observe(document.body, {attributes: true, attributeFilter: ['class']});
draw();
