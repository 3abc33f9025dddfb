const two = (value) => String(value).padStart(2, '0');
// Times of the day in UTC, and the date where a day begins or the axis does.
function times_of_day(chart, at) {
  const step = at.length > 1 ? at[1] - at[0] : 60;
  return at.map((second, index) => {
    const time = new Date(second * 1000);
    const clock = two(time.getUTCHours()) + ':' + two(time.getUTCMinutes()) +
      (step < 60 ? ':' + two(time.getUTCSeconds()) : '');
    const day = time.toISOString().slice(0, 10);
    const is_new = index === 0 || day !== new Date(at[index - 1] * 1000).toISOString().slice(0, 10);
    return step >= 86400 ? day : is_new ? clock + '\n' + day : clock;
  });
}
const time_axis = () => axis({ values: times_of_day, space: 80 });
const moment = (_, value) => value == null ? '' :
  new Date(value * 1000).toISOString().replace(/\.000Z$/, 'Z');

function series(label, stroke, more) {
  return { label, stroke: color(stroke), width: 1.5, value: (_, value) => number(value),
           points: { show: figures.t.length === 1 }, ...more };
}

const charts = {
  rates: () => ({
    data: [figures.t, figures.accepted, figures.rejected, figures.deferred, figures.others],
    options: {
      series: [{ label: 'at', value: moment }, series('accepted', 'accepted'), series('rejected', 'rejected'),
               series('deferred', 'deferred'), series('others', 'others')],
      axes: [time_axis(), axis({ size: 60 })],
    },
  }),
  times: () => ({
    data: [figures.t, figures.p50, figures.p90, figures.p99],
    options: {
      series: [{ label: 'at', value: moment }, series('p50', 'accepted'), series('p90', 'deferred'),
               series('p99', 'rejected')],
      axes: [time_axis(), axis({ size: 60 })],
    },
  }),
  curve: () => ({
    data: [figures.nines, figures.ms],
    options: {
      scales: { x: { time: false } },
      series: [share, series('ms', 'accepted')],
      axes: [axis({ values: (_, at) => at.map((nines) => Number.isInteger(nines) || nines === 0.3
        ? percent(nines) : '') }), axis({ size: 60 })],
    },
  }),
};

const drawn = [];
function draw() {
  drawn.splice(0).forEach((chart) => chart.destroy());
  for (const [id, make] of Object.entries(charts)) {
    const place = document.getElementById(id);
    place.textContent = '';
    if (typeof uPlot === 'undefined') {
      say(place, 'This program was built without charts.');
      continue;
    }
    const { data, options } = make();
    if (data[0].length === 0 || data.slice(1).every((row) => row.every((value) => value == null))) {
      say(place, 'The lines have no such figures.');
      continue;
    }
    drawn.push(new uPlot({ width: place.clientWidth - 8, height: 240,
                           tzDate: (at) => uPlot.tzDate(new Date(at * 1000), 'UTC'), ...options },
                         data, place));
  }
}

keep_drawn('rates', draw);
