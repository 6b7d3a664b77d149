// The rate of a clip so far, while it plays: bits of the coded frames up to now, a second.
(() => {
  const tell = (video) => {
    const figure = video.closest('.video-pair');
    if (!figure || !video.duration) return;
    const {fps, bits} = JSON.parse(figure.dataset.rates);
    const now = Math.min(bits.length - 1, Math.floor(video.currentTime * fps));
    const from = Math.max(0, now - Math.round(fps) + 1);
    const last = bits.slice(from, now + 1);
    const sum = last.reduce((a, b) => a + b, 0);
    const rate = (sum * fps) / last.length / 1000;
    figure.querySelector('.video-rate').textContent =
      `Frame ${now + 1} of ${bits.length}: ${bits[now].toLocaleString('en')} bits; ` +
      `${rate.toFixed(1)} kbit/s over the last second`;
  };
  document.addEventListener('timeupdate', (event) => {
    if (event.target.matches?.('.video-pair video')) tell(event.target);
  }, true);
  // What a browser recorded does not say how long it is, until somebody looks for its end.
  document.addEventListener('loadedmetadata', ({target}) => {
    if (!target.matches?.('#video-clip video[src]') || target.duration !== Infinity) return;
    target.addEventListener('durationchange', () => { target.currentTime = 0; }, {once: true});
    target.currentTime = 1e6;
  }, true);
})();
