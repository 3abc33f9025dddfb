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
    say(place, figures.runs.length === 0 ? 'Nothing was answered.'
      : 'This program was built without charts.');
    return;
  }
  chart = new uPlot({
    width: place.clientWidth - 8, height: 320,
    scales: { x: { time: false }, y: { distr: 3 } },
    series: [share,
      ...figures.runs.map((run, index) => ({
        label: run.name, stroke: color(colors[index % colors.length]), width: 1.5,
        dash: dashes[Math.floor(index / colors.length) % dashes.length], points: { show: true },
        value: (_, value) => number(value) }))],
    axes: [axis({ values: (_, at) => at.map((nines) => Number.isInteger(nines) ? percent(nines) : '') }),
           axis({ size: 60, values: (_, at) => at.map(number) })],
  }, [figures.nines, ...figures.runs.map((run) => run.ms)], place);
}

keep_drawn('curves', draw);
