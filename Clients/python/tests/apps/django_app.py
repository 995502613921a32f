"""Django, for WSGI and ASGI."""

from __future__ import annotations

import asking
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="not needed", ALLOWED_HOSTS=["*"])


def sync_view(_: HttpRequest, subject: str) -> HttpResponse:
    return HttpResponse(asking.token(subject))


async def async_view(_: HttpRequest, subject: str) -> HttpResponse:
    return HttpResponse(await asking.async_token(subject))


urlpatterns = [path("sync/<subject>", sync_view), path("async/<subject>", async_view)]
wsgi = get_wsgi_application()
asgi = get_asgi_application()
