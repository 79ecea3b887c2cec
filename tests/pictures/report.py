#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""report.py REPORT.html [--pictures FOLDER]: clicks through a report of `tributary profile --html` in headless Chromium:
every schedule, every module, by mouse and by keyboard, in light and dark, narrow and printed; counts what is drawn against
the data in the page.

Exit code 0: all is well; 1: something is not; 77: skipped, as Chromium is missing."""
import argparse
import base64
import pathlib
import sys

import chromium

SKIPPED = 77

# Contrast of texts with what is behind them, as WCAG 2 defines it; the lowest with its text.
CONTRAST = """(() => {
  const light = c => { const v = c / 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const numbers = s => s.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const behind = e => { for (; e; e = e.parentElement) { const c = numbers(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  let worst = [99, ''];
  for (const e of document.querySelectorAll('body *')) {
    const text = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join('');
    if (!text || e.closest('svg, script, style, .hidden, .skip, noscript') || !e.getClientRects().length) continue;
    const a = luminance(numbers(getComputedStyle(e).color)), b = luminance(behind(e));
    const c = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (c < worst[0]) worst = [c, text.slice(0, 40)];
  }
  return worst;
})()"""

# The same of labels on ops.
LABELS = """(() => {
  const light = c => { const v = c / 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const luminance = s => { const [r, g, b] = s.match(/[\\d.]+/g).map(Number); return 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b); };
  let worst = [99, ''];
  for (const t of document.querySelectorAll('#lanes text.on')) {
    const a = luminance(getComputedStyle(t).fill), b = luminance(getComputedStyle(t.parentNode.querySelector('rect')).fill);
    const c = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (c < worst[0]) worst = [c, t.textContent];
  }
  return worst;
})()"""


class Check:
    def __init__(self):
        self.wrong = self.done = 0

    def __call__(self, good, what):
        self.done += 1
        if not good:
            self.wrong += 1
            print("WRONG:", what)


def click(browser, selector):
    """With the mouse, in the middle."""
    x, y = browser.run(f"""(() => {{ const e = document.querySelector({selector!r}); e.scrollIntoView({{block: 'center'}});
        const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()""")
    browser.click(x, y)


def check_first_screen(browser, check):
    seen = browser.run("""(() => { const r = document.getElementById('picture').getBoundingClientRect();
        return [document.getElementById('headline').textContent, r.top, document.title]; })()""")
    check(len(seen[0]) > 20, "there is no headline")
    check(seen[1] < 800, f"the network begins at {seen[1]:.0f} pixels, below the first screen")
    check(seen[2] != "Profile", "the page has no title of its own")
    check(browser.run("""[...document.querySelectorAll('.bar span')].every(s =>
        s.getBoundingClientRect().right <= s.closest('td').getBoundingClientRect().right)"""), "a bar's text leaves its cell")


def check_module(browser, check, schedule, index):
    """What is drawn of the selected module against the data."""
    wanted, drawn = browser.run(f"""(() => {{
        const all = data.schedules.map(s => {{ const w = s.windows[{index}];
            const ops = s.ops.filter(o => o.runs && o.to > w.from && o.from < w.to);
            const used = w.streams.map((v, i) => i).filter(i => w.streams[i].used || w.streams[i].busy > 0);
            return [used.length, ops.length + w.pieces.filter(p => used.includes(p[0])).length, ops.length]; }});
        const figures = [...document.querySelectorAll('#lanes figure')];
        const tables = [...document.querySelectorAll('#ops table')];
        return [all, figures.map((f, i) => [[...f.querySelectorAll('svg > text:not(.faint)')].length,
            f.querySelectorAll('svg > g').length, tables[i].tBodies[0].rows.length])];
    }})()""")
    check(wanted == drawn, f"{schedule}, module {index}: streams, boxes, rows {drawn}, and not {wanted}")
    title, paths = browser.run(f"""[document.getElementById('module-title').textContent,
        document.querySelectorAll('#path li:not(.gap)').length]""")
    check(title.endswith(browser.run(f"windowTitle(data.schedules[0].windows[{index}])")), f"the title is {title}")
    check(browser.run(f"""document.querySelectorAll('#picture [aria-current]').length === 1 &&
        document.querySelector('#picture [aria-current]').dataset.window === '{index}'"""), "the wrong module is marked")
    return paths


def click_through(browser, check):
    """Every module of every schedule; returns how many."""
    count = 0
    for i, name in enumerate(browser.run("data.schedules.map(s => s.name)")):
        click(browser, f"#schedules tbody tr:nth-child({i + 1}) button")
        pressed = browser.run("[...document.querySelectorAll('#schedules [aria-pressed=true]')].map(b => b.textContent)")
        check(pressed == [name], f"schedule {name}: pressed is {pressed}")
        for index in browser.run("[...document.querySelectorAll('#picture button')].map(b => Number(b.dataset.window))"):
            click(browser, f'#picture [data-window="{index}"]')
            check_module(browser, check, name, index)
            count += 1
    return count


def check_keyboard(browser, check):
    """Tab reaches every button in order and shows where it is; arrows move between modules; Enter and space press."""
    browser.run("document.activeElement.blur(); scrollTo(0, 0)")
    wanted = browser.run("document.querySelectorAll('button, a[href], summary').length")
    seen = []
    for _ in range(wanted + 3):
        browser.key("Tab", 9)
        at = browser.run("""(() => { const e = document.activeElement; e.dataset.seen = 1; const s = getComputedStyle(e);
            return [e.tagName, s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2]; })()""")
        seen.append(at)
    reached = browser.run("document.querySelectorAll('[data-seen]:is(button, a, summary)').length")
    check(reached == wanted, f"Tab reaches {reached} of {wanted} buttons and links")
    check(all(visible for tag, visible in seen if tag in ("BUTTON", "A", "SUMMARY")), "focus cannot be seen")
    check_keys_of_modules(browser, check)
    browser.run("document.querySelector('#schedules button').focus()")
    browser.key(" ", 32, " ")
    check(browser.run("document.activeElement.getAttribute('aria-pressed')") == "true", "space does not choose a schedule")


def check_keys_of_modules(browser, check):
    if browser.run("document.querySelectorAll('#picture button').length") < 2:
        return
    browser.run("document.querySelector('#picture button').focus()")
    browser.key("ArrowRight", 39)
    browser.key("Enter", 13, "\r")
    second = browser.run("document.querySelectorAll('#picture button')[1].dataset.window")
    check(browser.run("document.querySelector('#picture [aria-current]').dataset.window") == second, "arrow and Enter do not select")
    check(browser.run("document.activeElement.dataset.window") == second, "focus is lost when a module is selected")


def check_accessibility(browser, check):
    browser.call("Accessibility.enable")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    text = lambda node: node.get("name", {}).get("value", "").strip()
    role = lambda node: node.get("role", {}).get("value", "")
    named = [n for n in nodes if not n.get("ignored") and role(n) in ("button", "image", "img", "heading", "table", "link")]
    for node in named:
        check(text(node) or role(node) == "table", f"a {role(node)} has no name")
    for kind in ("button", "image", "heading", "table", "list", "main", "status"):
        check(any(role(n) in (kind, "img" if kind == "image" else kind) for n in nodes), f"no {kind} for screen readers")
    levels = browser.run("[...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))")
    check(levels[0] == 1 and all(b <= a + 1 for a, b in zip(levels, levels[1:])), f"headings skip a level: {levels}")
    return len(named)


def check_colors(browser, check, scheme):
    browser.media(scheme=scheme)
    for what, script in ("text", CONTRAST), ("a label", LABELS):
        contrast, text = browser.run(script)
        check(contrast >= 4.5, f"{scheme}: {what} has a contrast of {contrast:.2f}: {text}")
    return browser.run(CONTRAST)[0]


def check_widths(browser, check):
    for width in (360, 768, 1920):
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        over = browser.run("document.documentElement.scrollWidth")
        check(over <= width, f"at {width} pixels the page is {over} wide")
    browser.call("Emulation.clearDeviceMetricsOverride")


def check_print(browser, check):
    closed = browser.run("document.querySelectorAll('details:not([open])').length")
    pdf = base64.b64decode(browser.call("Page.printToPDF", printBackground=False)["data"])
    pages = pdf.count(b"/Type /Page\n") or pdf.count(b"/Type /Page") - pdf.count(b"/Type /Pages")
    check(closed > 0 and 1 <= pages <= 40, f"{pages} printed pages")
    check(browser.run("document.querySelectorAll('details:not([open])').length") == closed, "printing leaves details open")
    return pages, pdf


def take_pictures(browser, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        browser.media(scheme=scheme)
        end = browser.run("document.getElementById('branch-legend').getBoundingClientRect().bottom + scrollY")
        browser.picture(str(folder / f"report-{scheme}.png"), (0, 0, 1280, end + 4))
        top = browser.run("document.getElementById('module').getBoundingClientRect().top + scrollY")
        browser.picture(str(folder / f"module-{scheme}.png"), (0, top, 1280, 900))
    browser.media()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("report", type=pathlib.Path)
    arguments.add_argument("--pictures", type=pathlib.Path, help="folder for PNGs of the page")
    arguments = arguments.parse_args()
    if not chromium.find():
        print("skipped: needs Chromium")
        return SKIPPED
    check = Check()
    with chromium.Browser(1280, 900) as browser:
        address = arguments.report.resolve().as_uri()
        browser.open(address)
        if arguments.pictures:
            take_pictures(browser, arguments.pictures)
        check_first_screen(browser, check)
        modules = click_through(browser, check)
        check_keyboard(browser, check)
        named = check_accessibility(browser, check)
        lowest = min(check_colors(browser, check, scheme) for scheme in ("light", "dark"))
        check_widths(browser, check)
        pages, pdf = check_print(browser, check)
        if arguments.pictures:
            (arguments.pictures / "report.pdf").write_bytes(pdf)
        check(browser.messages == [], f"the console has {browser.messages}")
        check(set(r.split("#")[0] for r in browser.requests) == {address}, f"it asked for {browser.requests}")
    print(f"{modules} modules clicked, {named} named things for screen readers, lowest contrast {lowest:.2f}, {pages} printed pages")
    print(f"{check.done} checks, {check.wrong} wrong")
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
