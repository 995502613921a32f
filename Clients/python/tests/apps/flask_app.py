"""Flask, with an async view, for which Flask makes an event loop for each request."""

from __future__ import annotations

import asyncio

import asking
from flask import Flask

application = Flask(__name__)


@application.get("/sync/<subject>")
def sync_view(subject: str) -> str:
    return asking.token(subject)


@application.get("/async/<subject>")
def async_view(subject: str) -> str:
    return asyncio.run(asking.async_token(subject))
