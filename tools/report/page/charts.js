// What the charts of each page have in common; the page's own script stands behind it, in one scope.
const figures = JSON.parse(document.getElementById('figures').textContent);
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
const number = (value) => value == null ? '' : value.toLocaleString('en', { maximumSignificantDigits: 4 });
const percent = (nines) => {
  const share = 100 - 100 * Math.pow(10, -nines);
  return 'p' + share.toFixed(Math.max(0, Math.round(nines) - 2)).replace(/\.0+$/, '');
};
const share = { label: 'share', value: (_, value) => value == null ? '' : percent(value) };
const axis = (more) => ({ stroke: color('faint'), grid: { stroke: color('line'), width: 1 },
                          ticks: { stroke: color('line'), width: 1 }, ...more });

// In the place of a chart.
const say = (place, text) => {
  const words = document.createElement('p');
  words.className = 'none';
  words.textContent = text;
  place.append(words);
};

// Draws now, and again whenever the width of that place or the theme is another one.
const keep_drawn = (id, draw) => {
  let width = 0;
  new ResizeObserver(() => {
    const now = document.getElementById(id).clientWidth;
    if (now !== width) {
      width = now;
      draw();
    }
  }).observe(document.querySelector('main'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
};
