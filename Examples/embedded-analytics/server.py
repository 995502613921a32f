"""The same backend as server.js, in Python: sessions by signed cookie, and `POST /access-token` through the client.

Run it with the client on the path: PYTHONPATH=Clients/python/src python3 Examples/embedded-analytics/server.py
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import math
import os
import re
import secrets
import signal
import threading
import time
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tokencached import TokenCache, TokenCacheError

PUBLIC = Path(__file__).parent / "public"
# How long somebody stays signed in, in seconds.
SESSION_LIFETIME = 8 * 3_600
# When to ask again where the error doesn't say, in seconds.
USUAL_RETRY = 5
# A sign-in is a few bytes.
LONGEST_BODY = 1_000


@dataclass(frozen=True)
class User:
    name: str
    subject: str


# The users that the login page offers, and the subjects under which the tenant knows them. A real application signs its
# users in by its own means.
USERS = {"alice": User("Alice Archer", "auth0|alice"), "bob": User("Bob Baker", "auth0|bob")}

SCRIPT = "https://cdn.jsdelivr.net/npm/@qlik/embed-web-components@1/dist/index.min.js"
TENANT = os.environ.get("QLIK_TENANT", "https://your-tenant.eu.qlikcloud.com")
PAGE_VALUES = {
    "script": os.environ.get("EMBED_SCRIPT", SCRIPT),
    "tenant": TENANT,
    "client": os.environ.get("QLIK_CLIENT_ID", "your-client-id"),
    "app": os.environ.get("QLIK_APP_ID", "your-app-id"),
    "object": os.environ.get("QLIK_OBJECT_ID", "your-chart-id"),
}
SESSION_SECRET = os.environ.get("SESSION_SECRET", secrets.token_hex(32)).encode()
SECURE = "; Secure" if os.environ.get("SECURE_COOKIES") == "yes" else ""
# Lax: another site's page can't send it along with a POST. HttpOnly: no script can read it.
COOKIE = f"Path=/; HttpOnly; SameSite=Lax{SECURE}"
TOKEN_TIMEOUT = float(os.environ.get("TOKEN_TIMEOUT", "10"))

cache = TokenCache()


def signature(content: str) -> str:
    return hmac.new(SESSION_SECRET, content.encode(), hashlib.sha256).hexdigest()


def start_session(user: str) -> str:
    content = json.dumps({"user": user, "until": time.time() + SESSION_LIFETIME})
    encoded = base64.urlsafe_b64encode(content.encode()).decode()
    return f"session={encoded}.{signature(encoded)}; Max-Age={SESSION_LIFETIME}; {COOKIE}"


def signed_in(cookies: str) -> User | None:
    """Who is signed in, by the request's `cookie`."""
    try:
        cookie = SimpleCookie(cookies).get("session")
    except CookieError:
        return None
    encoded, _, given = (cookie.value if cookie else "").partition(".")
    # A comparison that takes the same time wherever the first difference is.
    if not hmac.compare_digest(given.encode(), signature(encoded).encode()):
        return None
    session = json.loads(base64.urlsafe_b64decode(encoded))
    return USERS.get(session["user"]) if time.time() < session["until"] else None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/":
            user = self.user
            if user is None:
                self.redirect("/login")
            else:
                self.page("analytics.html", {**PAGE_VALUES, "user": user.name})
        elif path == "/login":
            self.page("login.html", {})
        elif path == "/analytics.js":
            self.file("analytics.js", "text/javascript")
        elif path == "/style.css":
            self.file("style.css", "text/css")
        elif path == "/access-token":
            self.text(405, "only POST is answered here", allow="POST")
        else:
            self.text(404, "there is nothing here")

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > LONGEST_BODY or self.headers.get("transfer-encoding"):
            self.close_connection = True
            return self.text(413, "the request is too long")
        body = self.rfile.read(length).decode()
        path = urlsplit(self.path).path
        if not self.is_own_page:
            self.text(403, "this came from another site")
        elif path == "/login":
            self.login(parse_qs(body).get("user", [""])[0])
        elif path == "/logout":
            self.redirect("/login", cookie=f"session=; Max-Age=0; {COOKIE}")
        elif path == "/access-token":
            self.access_token()
        else:
            self.text(404, "there is nothing here")

    @property
    def user(self) -> User | None:
        return signed_in(self.headers.get("cookie", ""))

    @property
    def is_own_page(self) -> bool:
        """Whether a page of ours sent it; browsers say so with each POST, and no page can make them say otherwise."""
        if site := self.headers.get("sec-fetch-site"):
            return bool(site == "same-origin")
        origin = urlsplit(self.headers.get("origin", "")).netloc
        return origin != "" and origin == self.headers.get("host")

    def login(self, user: str) -> None:
        if user in USERS:
            self.redirect("/", cookie=start_session(user))
        else:
            self.text(400, "there is no such user")

    def access_token(self) -> None:
        user = self.user
        if user is None:
            return self.text(401, "nobody is signed in")
        refused = self.headers.get("x-refused-token", "")
        try:
            if re.fullmatch("[0-9a-fA-F]{64}", refused):
                cache.invalidate(subject=user.subject, token_sha256=refused, timeout=TOKEN_TIMEOUT)
            token = cache.token(subject=user.subject, timeout=TOKEN_TIMEOUT)
        except TokenCacheError as error:
            seconds = max(1, math.ceil(error.retry_after or USUAL_RETRY))
            sentence = f"no access token can be had at present ({error.code})"
            return self.answer(503, "text/plain", sentence, {"cache-control": "no-store", "retry-after": str(seconds)})
        self.answer(200, "text/plain", token.access_token, {"cache-control": "no-store"})

    def redirect(self, location: str, cookie: str | None = None) -> None:
        headers = {"location": location, **({"set-cookie": cookie} if cookie else {})}
        self.answer(303, "text/plain", "", {"cache-control": "no-store", **headers})

    def text(self, status: int, sentence: str, **headers: str) -> None:
        self.answer(status, "text/plain", sentence, {"cache-control": "no-store", **headers})

    def file(self, name: str, kind: str) -> None:
        self.answer(200, kind, (PUBLIC / name).read_text(), {})

    def page(self, name: str, values: dict[str, str]) -> None:
        """A page with its values, which are escaped, in the place of their names."""
        template = (PUBLIC / name).read_text()
        content = re.sub(r"\{\{(\w+)\}\}", lambda match: html.escape(values[match[1]]), template)
        self.answer(200, "text/html", content, {"cache-control": "no-store"})

    def answer(self, status: int, kind: str, content: str, headers: dict[str, str]) -> None:
        body = content.encode()
        self.send_response(status)
        self.send_header("content-type", f"{kind}; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.send_header("x-content-type-options", "nosniff")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002, the base class calls it so
        """A line for each request is more than an example needs."""


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Handler)
    for number in (signal.SIGINT, signal.SIGTERM):
        # Another thread, because shutdown waits for the loop that this signal interrupts.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
    with cache, server:
        server.serve_forever()


if __name__ == "__main__":
    main()
