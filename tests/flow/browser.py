#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives a real headless Chromium over its debugging protocol, with Python's standard library alone.

browser.py FOLDER URL STEP..   each STEP is one of
  wait=JS        until the expression is true (20 s), else exit 1
  do=JS          evaluates it
  print=JS       evaluates it and prints the result
  shot=FILE.png  takes a picture of the page
Errors that the page throws or logs are printed as "page error: ..." and make the exit code 1.
"""
import base64, json, os, re, socket, struct, subprocess, sys, time, urllib.request

folder, url, steps = sys.argv[1], sys.argv[2], sys.argv[3:]
browser = subprocess.Popen(
    ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
     "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1300,1500",
     "--user-data-dir=" + folder, "--remote-debugging-port=0", "about:blank"],
    stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


class Page:
    """One WebSocket to one page: calls, and the events that came between."""

    def __init__(self, address):
        host, port, path = re.match(r"ws://([^:/]+):(\d+)(/.*)", address).groups()
        self.s = socket.create_connection((host, int(port)), timeout=60)
        self.s.sendall((f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
                        "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.s.recv(1)
        self.number, self.errors = 0, []

    def take(self, n):
        data = b""
        while len(data) < n:
            data += self.s.recv(n - len(data))
        return data

    def frame(self):
        text = b""
        while True:
            first, second = self.take(2)
            n = second & 127
            n = struct.unpack(">H", self.take(2))[0] if n == 126 else struct.unpack(">Q", self.take(8))[0] if n == 127 else n
            text += self.take(n)
            if first & 128:
                return json.loads(text)

    def call(self, method, **params):
        self.number += 1
        data = json.dumps({"id": self.number, "method": method, "params": params}).encode()
        mask = os.urandom(4)
        n = len(data)
        head = struct.pack(">BB", 129, 128 | n) if n < 126 else struct.pack(">BBH", 129, 254, n) if n < 65536 else struct.pack(">BBQ", 129, 255, n)
        self.s.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))
        while True:
            m = self.frame()
            if m.get("method") == "Runtime.exceptionThrown":
                self.errors.append(m["params"]["exceptionDetails"].get("exception", {}).get("description", "exception"))
            if m.get("method") == "Log.entryAdded" and m["params"]["entry"]["level"] == "error":
                self.errors.append(m["params"]["entry"]["text"])
            if m.get("id") == self.number:
                return m.get("result", {})

    def value(self, script):
        return self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True).get("result", {}).get("value")


def run(page):
    page.call("Runtime.enable")
    page.call("Log.enable")
    page.call("Page.enable")
    page.call("Page.navigate", url=url)
    for step in steps:
        kind, _, rest = step.partition("=")
        if kind == "wait":
            until = time.time() + 20
            while page.value(f"!!({rest})") is not True:
                if time.time() > until:
                    print("never true:", rest)
                    return 1
                time.sleep(0.2)
        elif kind == "shot":
            open(rest, "wb").write(base64.b64decode(page.call("Page.captureScreenshot")["data"]))
        else:
            value = page.value(rest)
            if kind == "print":
                print(value)
    for error in page.errors:
        print("page error:", error)
    return 1 if page.errors else 0


try:
    address = next(m.group(1) for line in browser.stderr if (m := re.search(r"listening on (ws://\S+)", line)))
    port = re.search(r":(\d+)/", address).group(1)
    pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json"))
    code = run(Page(next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page")))
finally:
    browser.kill()
    browser.wait()
sys.exit(code)
