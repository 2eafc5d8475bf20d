"""Somebody with a browser, as far as cookies and forms: in the clear, as a proxy would ask."""

import email
import email.policy
import http.client
import re
import time
import urllib.parse


class Visitor:
    def __init__(self, gateway, behind=None):
        """With `behind` the proxy says that this is where they are."""
        self.behind = behind
        self.gateway = gateway
        self.cookies = {}
        origin = urllib.parse.urlsplit(gateway.public_url)
        clear = urllib.parse.urlsplit(gateway.clear)
        self.host = origin.netloc
        self.connection = http.client.HTTPConnection(clear.hostname, clear.port, timeout=120)

    def headers(self):
        """What wrk sends to be this visitor."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return [f"Host: {self.host}"] + ([f"Cookie: {cookie}"] if cookie else [])

    def ask(self, method, path, fields=None):
        """Status, octets and the path that a redirect names."""
        headers = dict(header.split(": ", 1) for header in self.headers())
        if self.behind:
            headers["X-Forwarded-For"] = self.behind
        body = None
        if fields is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.gateway.public_url}
            body = urllib.parse.urlencode(fields)
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError):
            # Kept open longer than the portal waits in silence: a browser asks again, too.
            self.connection.close()
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
        octets = answer.read()
        for field in answer.headers.get_all("Set-Cookie", []):
            name, value = field.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer.status, octets, answer.headers.get("Location")

    def get(self, path):
        """A page, wherever redirects lead; its path and octets."""
        while True:
            status, octets, location = self.ask("GET", path)
            if location is None:
                if status != 200:
                    raise SystemExit(f"GET {path}: {status}")
                return path, octets
            path = within(location)

    def press(self, path, page, action, fields=()):
        """Sends the form of a page; the page that follows."""
        token = re.search(rb'name="form" value="([^"]*)"', page).group(1).decode()
        hidden = re.findall(rb'type="hidden" name="for" value="([^"]*)"', page)
        sent = {"form": token, **({"for": hidden[0].decode()} if hidden else {}), **dict(fields)}
        status, octets, location = self.ask("POST", action, sent)
        if status >= 400:
            raise SystemExit(f"POST {action}: {status}")
        return self.get(within(location)) if location else (action, octets)

    def enter(self, recipient):
        """From the mail's link to the message, by a code; the paths of the link and of the message."""
        link = find(self.gateway, recipient, re.compile(r"/p/[\w-]+"))
        path, page = self.get(link)
        path, page = self.press(path, page, link)
        if b'name="code"' not in page:
            path, page = self.press(path, page, "/code/mail")
        code = find(self.gateway, recipient, re.compile(r"\b\d{3} \d{3}\b"))
        path, page = self.press(path, page, "/code", {"code": code})
        return link, path


def within(location):
    """What a redirect asks for, without the origin."""
    there = urllib.parse.urlsplit(location)
    return f"{there.path}?{there.query}" if there.query else there.path


def find(gateway, recipient, pattern):
    """What the newest mail with such words says."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for mail in gateway.mails_to(recipient):
            message = email.message_from_bytes(mail, policy=email.policy.default)
            found = pattern.search(message.get_body(("plain",)).get_content())
            if found:
                return found.group(0)
        time.sleep(0.05)
    raise SystemExit(f"no mail to {recipient} says {pattern.pattern}")
