# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium, driven through its DevTools protocol over a pipe: needs nothing but Python and the browser."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time


def find():
    """Path of Chromium, or None. The environment's CHROMIUM names another."""
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    return next(filter(None, (shutil.which(name) for name in names if name)), None)


class Failure(Exception):
    pass


class Browser:
    """One page. `messages` has what it wrote to its console, and its uncaught errors; `requests` the addresses it asked
    for."""

    def __init__(self, width=1280, height=800, scale=1):
        self.folder = tempfile.mkdtemp(prefix="tributary-chromium-")
        to_browser, from_browser = os.pipe(), os.pipe()
        command = [find(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir=" + self.folder,
                   f"--window-size={width},{height}", f"--force-device-scale-factor={scale}", "about:blank"]

        def pipes():  # Chromium reads from 3 and writes to 4
            ends = os.dup(to_browser[0]), os.dup(from_browser[1])
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(command, preexec_fn=pipes, close_fds=False, stdout=log, stderr=log)
        os.close(to_browser[0])
        os.close(from_browser[1])
        self.input, self.output = to_browser[1], from_browser[0]
        self.next_id, self.pending, self.session = 1, b"", None
        self.messages, self.requests = [], []
        page = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.input)
        os.close(self.output)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _receive(self):
        while b"\0" not in self.pending:
            part = os.read(self.output, 1 << 20)
            if not part:
                raise Failure("Chromium ended")
            self.pending += part
        message, _, self.pending = self.pending.partition(b"\0")
        return json.loads(message)

    def _note(self, event):
        method, what = event.get("method"), event.get("params", {})
        if method == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
            self.messages.append(" ".join(str(a.get("value", a.get("description"))) for a in what["args"]))
        elif method == "Runtime.exceptionThrown":
            self.messages.append(what["exceptionDetails"].get("exception", {}).get("description", "exception"))
        elif method == "Log.entryAdded" and what["entry"]["level"] == "error":
            self.messages.append(what["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])

    def call(self, method, **parameters):
        message = {"id": self.next_id, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.next_id += 1
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.input, data):]
        while True:
            answer = self._receive()
            if answer.get("id") == message["id"]:
                break
            self._note(answer)
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def run(self, expression):
        """Value of a JavaScript expression; a promise is awaited."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True,
                           userGesture=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise Failure(details.get("exception", {}).get("description", details["text"]))
        return result["result"].get("value")

    def wait(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not self.run(condition):
            if time.monotonic() > end:
                raise Failure(f"waited {seconds} s for {condition}")
            time.sleep(0.1)

    def key(self, name, code=0, text=None, modifiers=0):
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code,
                      modifiers=modifiers, **more)

    def click(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, path, clip=None):
        """A PNG of the window, or of `clip` = (x, y, width, height) of the page."""
        more = {}
        if clip:
            x, y, width, height = clip
            more = {"clip": {"x": x, "y": y, "width": width, "height": height, "scale": 1},
                    "captureBeyondViewport": True}
        data = self.call("Page.captureScreenshot", format="png", **more)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def media(self, **features):
        """media(scheme="dark"), media(kind="print")"""
        self.call("Emulation.setEmulatedMedia", media=features.get("kind", ""),
                  features=[{"name": "prefers-color-scheme", "value": features.get("scheme", "light")}])
