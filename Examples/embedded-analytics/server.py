"""The same backend as server.js, in Python: sessions, and `POST /access-token` through the client.

Run it with the client on the path: PYTHONPATH=Clients/python/src python3 Examples/embedded-analytics/server.py
"""

from __future__ import annotations

import html
import os
import re
import secrets
import signal
import sys
import threading
import time
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from tokencached import TokenCache, TokenCacheError, User

PUBLIC = Path(__file__).parent / "public"
# The time for which a user stays signed in, in seconds.
SESSION_LIFETIME = 8 * 3_600
# The longest body in bytes. That of a sign-in is a few bytes.
LONGEST_BODY = 1_000


# The users that the login page offers, with the subjects under which the tenant knows them. A real application signs
# its users in by its own means, and takes their groups from there, too. Those who are new to the tenant are created
# there.
USERS = {
    "alice": User("auth0|alice", name="Alice Archer", email="alice@shop.example", groups=["portal-emea"]),
    "bob": User("auth0|bob", name="Bob Baker", email="bob@shop.example", groups=["portal-apac"]),
}

SCRIPT = "https://cdn.jsdelivr.net/npm/@qlik/embed-web-components@1/dist/index.min.js"
TENANT = os.environ.get("QLIK_TENANT", "https://your-tenant.eu.qlikcloud.com")
PAGE_VALUES = {
    "script": os.environ.get("EMBED_SCRIPT", SCRIPT),
    "tenant": TENANT,
    "client": os.environ.get("QLIK_CLIENT_ID", "your-client-id"),
    "app": os.environ.get("QLIK_APP_ID", "your-app-id"),
    "object": os.environ.get("QLIK_OBJECT_ID", "your-chart-id"),
}
SECURE = "; Secure" if os.environ.get("SECURE_COOKIES") == "yes" else ""
# Lax: a page of another site can't send the cookie with a POST. HttpOnly: no script can read it.
COOKIE = f"Path=/; HttpOnly; SameSite=Lax{SECURE}"
TOKEN_TIMEOUT = float(os.environ.get("TOKEN_TIMEOUT", "10"))

cache = TokenCache()


@dataclass(frozen=True)
class Session:
    user: User
    until: float


class Sessions:
    """The sessions. The cookie only names a session, so a copy of it is useless when the session has ended."""

    def __init__(self) -> None:
        # By the value of the cookie, the oldest first.
        self._sessions: dict[str, Session] = {}

    def start(self, user: User) -> str:
        """The value of `set-cookie` that signs a user in."""
        now = time.time()
        for past in [each for each, session in list(self._sessions.items()) if session.until <= now]:
            self._sessions.pop(past, None)
        number = secrets.token_hex(32)
        self._sessions[number] = Session(user, now + SESSION_LIFETIME)
        return f"session={number}; Max-Age={SESSION_LIFETIME}; {COOKIE}"

    def end(self, cookies: str) -> str:
        """Ends the session of the request's `cookie`, and returns the value of `set-cookie` that signs out."""
        self._sessions.pop(_session_in(cookies), None)
        return f"session=; Max-Age=0; {COOKIE}"

    def user(self, cookies: str) -> User | None:
        """The user of the session that the request's `cookie` names."""
        session = self._sessions.get(_session_in(cookies))
        return session.user if session is not None and time.time() < session.until else None


def _session_in(cookies: str) -> str:
    try:
        cookie = SimpleCookie(cookies).get("session")
    except CookieError:
        return ""
    return cookie.value if cookie else ""


sessions = Sessions()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/":
            user = self.user
            if user is None:
                self.redirect("/login")
            else:
                self.page("analytics.html", {**PAGE_VALUES, "user": user.name or ""})
        elif path == "/login":
            self.page("login.html", {})
        elif path == "/analytics.js":
            self.file("analytics.js", "text/javascript")
        elif path == "/style.css":
            self.file("style.css", "text/css")
        elif path == "/access-token":
            self.access_token()
        else:
            self.text(404, "there is nothing here")

    def do_POST(self) -> None:
        length = self.headers.get("content-length") or "0"
        # Only digits: with a negative length all bytes would be read.
        if not re.fullmatch("[0-9]{1,9}", length):
            self.close_connection = True
            return self.text(400, "the length of the request is none")
        if int(length) > LONGEST_BODY or self.headers.get("transfer-encoding"):
            self.close_connection = True
            return self.text(413, "the request is too long")
        body = self.rfile.read(int(length)).decode(errors="replace")
        path = self.path.partition("?")[0]
        if not self.is_own_page:
            self.text(403, "this request comes from another site")
        elif path == "/login":
            self.login(parse_qs(body).get("user", [""])[0])
        elif path == "/logout":
            self.logout()
        elif path == "/access-token":
            self.access_token()
        else:
            self.text(404, "there is nothing here")

    @property
    def method(self) -> str:
        return self.command

    @property
    def user(self) -> User | None:
        return sessions.user(self.headers.get("cookie", ""))

    @property
    def is_own_page(self) -> bool:
        """True if a page of this application sent it. Browsers say so with each POST, and no page can change that."""
        if site := self.headers.get("sec-fetch-site"):
            return bool(site == "same-origin")
        scheme, _, host = self.headers.get("origin", "").partition("://")
        return scheme in ("http", "https") and host == self.headers.get("host")

    def login(self, user: str) -> None:
        if user in USERS:
            self.redirect("/", cookie=sessions.start(USERS[user]))
        else:
            self.text(400, "there is no such user")

    def logout(self) -> None:
        user = self.user
        cookie = sessions.end(self.headers.get("cookie", ""))
        if user is not None:
            try:
                # Makes copies of the token useless. The session has ended even if this fails.
                cache.revoke(subject=user.subject, timeout=TOKEN_TIMEOUT, traceparent=self.headers.get("traceparent"))
            except TokenCacheError as error:
                print(f"the token of a user who signed out could not be revoked: {error}", file=sys.stderr)
        self.redirect("/login", cookie=cookie)

    def access_token(self) -> None:
        answer = answer_access_token(self)
        self.send(answer.status, answer.body, answer.headers)

    def redirect(self, location: str, cookie: str | None = None) -> None:
        headers = {"location": location, **({"set-cookie": cookie} if cookie else {})}
        self.answer(303, "text/plain", "", {"cache-control": "no-store", **headers})

    def text(self, status: int, sentence: str, **headers: str) -> None:
        self.answer(status, "text/plain", sentence, {"cache-control": "no-store", **headers})

    def file(self, name: str, kind: str) -> None:
        self.answer(200, kind, (PUBLIC / name).read_text(), {})

    def page(self, name: str, values: dict[str, str]) -> None:
        """A page whose names of values are replaced by the values, escaped."""
        template = (PUBLIC / name).read_text()
        content = re.sub(r"\{\{(\w+)\}\}", lambda match: html.escape(values[match[1]]), template)
        self.answer(200, "text/html", content, {"cache-control": "no-store"})

    def answer(self, status: int, kind: str, content: str, headers: dict[str, str]) -> None:
        usual = {"content-type": f"{kind}; charset=utf-8", "x-content-type-options": "nosniff"}
        self.send(status, content, {**usual, **headers})

    def send(self, status: int, content: str, headers: dict[str, str]) -> None:
        body = content.encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002, the base class calls it so
        """Logs nothing, because a line for each request is more than an example needs."""


# The handler has the method and the headers that the client looks at.
answer_access_token = cache.access_token_handler(lambda request: request.user, timeout=TOKEN_TIMEOUT)


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Handler)
    for number in (signal.SIGINT, signal.SIGTERM):
        # On another thread, because shutdown waits for the loop that this signal interrupts.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
    with cache, server:
        server.serve_forever()


if __name__ == "__main__":
    main()
