# Thunderbird's remote control: what a test runs in its windows, and pictures of them.
# The protocol is Mozilla's (firefox-source-docs.mozilla.org/testing/marionette): "LENGTH:JSON", [0, id, name, parameters]
# asked and [1, id, error, value] answered.
import base64
import json
import socket
import time

PATIENCE = 90


class Marionette:
    def __init__(self, port):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        self.stream, self.number = self.socket.makefile("rb"), 0
        self.hear()
        self.ask("WebDriver:NewSession", capabilities={})
        self.ask("Marionette:SetContext", value="chrome")

    def hear(self):
        length = b""
        while not length.endswith(b":"):
            octet = self.stream.read(1)
            if not octet:
                raise SystemExit("Thunderbird is gone")
            length += octet
        return json.loads(self.stream.read(int(length[:-1])))

    def ask(self, name, **parameters):
        self.number += 1
        message = json.dumps([0, self.number, name, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, value = self.hear()
        if error:
            raise SystemExit(f"{name}: {error['message']}")
        return value

    # What a script returns, in the main window; `args` are its arguments.
    def run(self, script, *args):
        body = ("const [...args] = arguments; const done = args.pop();"
                "const win = Services.wm.getMostRecentWindow('mail:3pane'); const tabs = win?.document.getElementById('tabmail');"
                f"(async () => {{ {script} }})().then((ok) => done({{ ok }}), (error) => done({{ error: `${{error}}\\n${{error.stack}}` }}))")
        answer = self.ask("WebDriver:ExecuteAsyncScript", script=body, args=list(args), sandbox="system", newSandbox=False)["value"]
        if "error" in answer:
            raise SystemExit(f"a script failed: {answer['error']}\n{script}")
        return answer.get("ok")

    # Waits until a script returns something true, and gives it.
    def until(self, what, script, *args):
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.run(script, *args)
            if found:
                return found
            if time.monotonic() > deadline:
                raise SystemExit(f"in {PATIENCE} s there was no {what}")
            time.sleep(0.1)

    def picture(self, path):
        # What was just asked for is drawn in the next frames.
        self.run("await new Promise((r) => win.setTimeout(r, 700));")
        picture = self.ask("WebDriver:TakeScreenshot", full=False, hash=False)["value"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture))
