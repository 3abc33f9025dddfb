'use strict';
(() => {
  const figures = JSON.parse(document.getElementById('figures').textContent);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
  const number = (value) => value == null ? '' : value.toLocaleString('en', { maximumSignificantDigits: 4 });
  const percent = (nines) => {
    const share = 100 - 100 * Math.pow(10, -nines);
    return 'p' + share.toFixed(Math.max(0, Math.round(nines) - 2)).replace(/\.0+$/, '');
  };
  const axis = (more) => ({ stroke: color('faint'), grid: { stroke: color('line'), width: 1 },
                            ticks: { stroke: color('line'), width: 1 }, ...more });
  const colors = ['accepted', 'rejected', 'deferred', 'others'];
  const dashes = [[], [6, 4], [2, 3]];

  let chart = null;
  function draw() {
    if (chart) {
      chart.destroy();
    }
    const place = document.getElementById('curves');
    place.textContent = '';
    chart = null;
    if (typeof uPlot === 'undefined' || figures.runs.length === 0) {
      const words = document.createElement('p');
      words.className = 'none';
      words.textContent = figures.runs.length === 0 ? 'Nothing was answered.'
        : 'This program was built without charts.';
      place.append(words);
      return;
    }
    chart = new uPlot({
      width: place.clientWidth - 8, height: 320,
      scales: { x: { time: false }, y: { distr: 3 } },
      series: [{ label: 'share', value: (_, value) => value == null ? '' : percent(value) },
        ...figures.runs.map((run, index) => ({
          label: run.name, stroke: color(colors[index % colors.length]), width: 1.5,
          dash: dashes[Math.floor(index / colors.length) % dashes.length], points: { show: true },
          value: (_, value) => number(value) }))],
      axes: [axis({ values: (_, at) => at.map((nines) => Number.isInteger(nines) ? percent(nines) : '') }),
             axis({ size: 60, values: (_, at) => at.map(number) })],
    }, [figures.nines, ...figures.runs.map((run) => run.ms)], place);
  }

  let width = 0;
  new ResizeObserver(() => {
    const now = document.getElementById('curves').clientWidth;
    if (now !== width) {
      width = now;
      draw();
    }
  }).observe(document.querySelector('main'));
  dark.addEventListener('change', draw);
})();
