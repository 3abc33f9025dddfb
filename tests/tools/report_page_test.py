"""`report --html` in a real Chromium: charts with pixels, both themes, a phone, no request."""

import json
import unittest

from support import chromium
from support.program import ProgramTest

# Of each canvas how many pixels have been drawn, and in how many colours that are no greys.
PIXELS = """
[...document.querySelectorAll('.chart canvas')].map((canvas) => {
  const octets = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let drawn = 0;
  const colours = new Set();
  for (let i = 0; i < octets.length; i += 4) {
    if (octets[i + 3] === 255) {
      ++drawn;
      if (Math.max(octets[i], octets[i + 1], octets[i + 2]) -
          Math.min(octets[i], octets[i + 1], octets[i + 2]) > 60) {
        colours.add(`${octets[i]},${octets[i + 1]},${octets[i + 2]}`);
      }
    }
  }
  return { drawn, colours: colours.size };
})
"""


def line(number, second, ms, status="accepted", **more):
    return json.dumps({"id": f"job-{number}", "rcpt": f"reader{number}@example.net",
                       "status": status, "stage": "eod", "attempts": 1, "endpoint": "esp",
                       "ts": f"2026-11-30T09:{second // 60:02}:{second % 60:02}.000Z",
                       "ms": {"queue": 1.0, "submit": ms, "total": ms + 1}, **more})


def run_of(seconds):
    for number in range(seconds * 3):
        second = number // 3
        if number % 20 == 7:
            yield line(number, second, 9, "rejected", code=550, text="no <b>such</b> user & friend")
        elif number % 20 == 9:
            yield line(number, second, 9, "deferred", code=451, text="later")
        else:
            yield line(number, second, 20 + number % 50)


class ReportPage(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if chromium.PROGRAM is None:
            raise unittest.SkipTest("Chromium is not installed")
        try:
            cls.browser = chromium.Chromium()
        except OSError as error:
            raise unittest.SkipTest(f"Chromium does not start here: {error}") from error
        cls.addClassCleanup(cls.browser.__exit__, None, None, None)

    def page(self, lines, code=0):
        (self.folder / "o.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        run = self.run_program("report", "o.jsonl", "--html", "report.html")
        self.assert_exit(run, code)
        return self.folder / "report.html"

    def assert_quiet(self):
        self.assertEqual(self.browser.errors, [])
        self.assertEqual([url for url in self.browser.requests if not url.startswith("file:")], [])

    def test_charts_are_drawn_in_both_themes_and_on_a_phone(self):
        page = self.page(run_of(300))
        text = page.read_text(encoding="utf-8")
        self.assertLess(len(text), 3_000_000)
        papers = set()
        for width, dark in ((1000, False), (1000, True), (390, False), (390, True)):
            with self.subTest(width=width, dark=dark):
                self.browser.open(page, width, dark=dark)
                found = self.browser.run(PIXELS)
                self.assertEqual(len(found), 3)
                for chart in found:
                    self.assertGreater(chart["drawn"], width)
                self.assertGreaterEqual(found[0]["colours"], 3)  # accepted, rejected, deferred
                self.assertGreaterEqual(found[1]["colours"], 2)
                # Nothing is wider than the screen.
                self.assertLessEqual(self.browser.run("document.body.scrollWidth"), width)
                papers.add(self.browser.run("getComputedStyle(document.body).backgroundColor"))
                self.assertGreater(len(self.browser.screenshot()), 10_000)
                self.assert_quiet()
        self.assertEqual(len(papers), 2)
        # Anew when the window is made narrower, and no chart is lost.
        self.browser.open(page, 1000)
        self.browser.call("Emulation.setDeviceMetricsOverride", width=500, height=900,
                          deviceScaleFactor=1, mobile=False)
        self.browser.run("new Promise((done) => setTimeout(done, 300))")
        width = self.browser.run("document.querySelector('.chart canvas').clientWidth")
        self.assertLessEqual(width, 500)
        self.assertEqual(len(self.browser.run(PIXELS)), 3)

    def test_what_stands_in_its_tables(self):
        self.browser.open(self.page(run_of(100)))
        text = self.browser.run("document.querySelector('main').innerText")
        for words in ("300 recipients in o.jsonl", "accepted", "270", "90.0 %",
                      "550 no <b>such</b> user & friend", "job-7, reader7@example.net",
                      "15 recipients may get it yet"):
            self.assertIn(words, text)
        self.assertEqual(self.browser.run("document.querySelectorAll('td b').length"), 0)
        self.assert_quiet()

    def test_what_servers_say_ends_as_text(self):
        words = ("</script><script>console.error('x')</script><!--script-->"
                 "<img src=x onerror=alert(1)>")
        page = self.page([line(1, 1, 5), line(2, 2, 5, "rejected", code=550, text=words,
                                              endpoint=words)])
        self.browser.open(page)
        self.assertIn(words, self.browser.run("document.querySelector('.reasons').innerText"))
        self.assertEqual(self.browser.run("document.images.length"), 0)
        self.assertEqual(len(self.browser.run(PIXELS)), 3)
        self.assert_quiet()

    def test_runs_of_no_length_and_of_weeks(self):
        no_times = json.dumps({"id": "a", "rcpt": "a@b.example", "status": "accepted"})
        self.browser.open(self.page([no_times]))
        self.assertIn("no such figures", self.browser.run("document.body.innerText"))
        self.browser.open(self.page([line(1, 5, 7)]))
        self.assertEqual(len(self.browser.run(PIXELS)), 3)
        weeks = [line(day, 0, 5).replace("2026-11-30T09", f"2026-11-{day + 1:02}T{day % 24:02}")
                 for day in range(29)]
        page = self.page(weeks)
        self.browser.open(page)
        self.assertLessEqual(self.browser.run(
            "JSON.parse(document.getElementById('figures').textContent).t.length"), 1200)
        self.assertGreater(self.browser.run(PIXELS)[0]["drawn"], 1000)
        self.assert_quiet()

    def test_benchmarks_have_a_curve_each(self):
        name = "</script><b>.json"
        run = {"loop": "open", "rate_wanted": 100, "messages_per_second": 100, "seconds": 9,
               "recipients": {"accepted": 900},
               "times_ms": {"latency": {"count": 100000, "min": 0.1, "p50": 1, "p75": 2, "p90": 3,
                                        "p95": 5, "p99": 40, "p99.9": 300, "p99.99": 900,
                                        "max": 1000}}}
        slower = json.loads(json.dumps(run).replace("0.1", "20"))
        bench = {"bench": {"vary": "size", "runs": [run, {**slower, "varied": name}]}}
        # As `bench` writes it, without blanks.
        (self.folder / "b.json").write_text(json.dumps(bench, separators=(",", ":")),
                                            encoding="utf-8")
        done = self.run_program("report", "b.json", "--html", "report.html")
        self.assert_exit(done, 0)
        for width, dark in ((1000, False), (390, True)):
            self.browser.open(self.folder / "report.html", width, dark=dark)
            chart, = self.browser.run(PIXELS)
            self.assertGreater(chart["drawn"], width)
            self.assertGreaterEqual(chart["colours"], 2)
            self.assertLessEqual(self.browser.run("document.body.scrollWidth"), width)
            self.assertIn(name, self.browser.run("document.querySelector('.numbers').innerText"))
            self.assert_quiet()

    def test_more_benchmarks_than_curves(self):
        run = {"loop": "closed", "messages_per_second": 100, "seconds": 9,
               "recipients": {"accepted": 900},
               "times_ms": {"latency": {"count": 900, "min": 1, "p50": 1, "p75": 2, "p90": 3,
                                        "p95": 5, "p99": 40, "p99.9": 300, "p99.99": 900,
                                        "max": 1000}}}
        bench = {"bench": {"vary": "size", "runs": [{**run, "varied": str(number)}
                                                    for number in range(15)]}}
        (self.folder / "b.json").write_text(json.dumps(bench, separators=(",", ":")),
                                            encoding="utf-8")
        self.assert_exit(self.run_program("report", "b.json", "--html", "report.html"), 0)
        page = (self.folder / "report.html").read_text(encoding="utf-8")
        self.assertEqual(page.count('{"name":'), 12)
        self.assertEqual(page.count("size=14"), 1)  # in the table
        self.assertIn("The first 12 runs have a curve", page)

    def test_where_it_is_written(self):
        self.page([line(1, 1, 5)])
        before = (self.folder / "o.jsonl").read_bytes()
        for arguments, words in ((("--html", "o.jsonl"), "name another file"),
                                 (("--html", "nowhere/page.html"), "could not be written"),
                                 (("--html", "p.html", "--format", "csv"), "two reports")):
            run = self.run_program("report", "o.jsonl", *arguments)
            self.assertNotEqual(run.exit_code, 0)
            self.assertIn(words, run.stderr)
        self.assertEqual((self.folder / "o.jsonl").read_bytes(), before)


if __name__ == "__main__":
    unittest.main()
