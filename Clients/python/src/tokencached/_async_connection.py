"""The one connection that all tasks of an event loop share."""

from __future__ import annotations

import asyncio
import time

from tokencached._errors import TokenCacheError
from tokencached._exchange import Call, Exchange
from tokencached._reconnecting import Attempts, closed, late


class AsyncConnection:
    """Made when a call needs it, and made again after it ended. It belongs to the loop in which it is first asked."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False
        self._begin()

    def _begin(self) -> None:
        self._exchange = Exchange()
        self._attempts = Attempts(self._path)
        self._transport: asyncio.WriteTransport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._gone: asyncio.Future[None] | None = None
        self._is_scheduled = False
        self._is_paused_writing = False

    def ask(self, call: Call) -> None:
        if self._is_closed:
            raise closed()
        self._join(asyncio.get_running_loop())
        self._exchange.add(call)
        self._schedule()

    def is_trying(self, call: Call) -> bool:
        """Whether the daemon has been asked this, or a connection to ask it on is being made."""
        return self._exchange.is_under_way(call) or self._connecting is not None

    def late(self) -> TokenCacheError:
        """The error of a call whose time has passed."""
        return late(self._transport is not None, self._attempts)

    def give_up(self, call: Call) -> None:
        self._exchange.give_up(call)

    async def close(self) -> None:
        """Ends the connection; calls that wait fail, and later ones too."""
        self._is_closed = True
        self._exchange.end(closed())
        if self._pause is not None:
            self._pause.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
        if self._transport is not None and self._gone is not None:
            self._transport.abort()
            await self._gone

    def _join(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is loop:
            return
        if self._loop is not None and not self._loop.is_closed():
            raise RuntimeError("this AsyncTokenCache is used in another event loop already")
        # What belonged to a loop that is closed went with it.
        self._begin()
        self._loop = loop

    # The calls of one turn of the loop go in one write.
    def _schedule(self) -> None:
        if not self._is_scheduled and self._loop is not None:
            self._is_scheduled = True
            self._loop.call_soon(self._proceed)

    def _proceed(self) -> None:
        self._is_scheduled = False
        if self._is_closed or not self._exchange.has_queue:
            return
        if self._transport is not None:
            self.send()
        elif self._connecting is None and self._pause is None and self._loop is not None:
            self._connecting = self._loop.create_task(self._connect(self._loop))

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            await loop.create_unix_connection(lambda: _Lines(self), self._path)
        except OSError as error:
            self._connecting = None
            self.ended(error)

    # What the transport tells.

    def made(self, transport: asyncio.WriteTransport, gone: asyncio.Future[None]) -> None:
        self._connecting = None
        self._transport = transport
        self._gone = gone
        self._is_paused_writing = False
        self._proceed()

    def send(self, may_write: bool | None = None) -> None:
        if may_write is not None:
            self._is_paused_writing = not may_write
        if self._transport is None or self._is_paused_writing:
            return
        if lines := self._exchange.take(time.monotonic()):
            self._transport.write(lines)

    def received(self, chunk: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._attempts.answered()
        if self._exchange.receive(chunk):
            self.send()
        else:
            self._transport.abort()

    def ended(self, failure: OSError | None) -> None:
        """The connection has ended or couldn't be made."""
        self._transport = None
        if self._is_closed or self._loop is None:
            return
        self._exchange.disconnected()
        pause = self._attempts.failed(failure)
        if pause is None:
            return self._exchange.end(self._attempts.unreachable())
        self._pause = self._loop.call_later(pause, self._pause_ended)

    def _pause_ended(self) -> None:
        self._pause = None
        self._proceed()


class _Lines(asyncio.Protocol):
    """Hands what happens on the transport on."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._connection.made(transport, self._gone)

    def data_received(self, data: bytes) -> None:
        self._connection.received(data)

    def pause_writing(self) -> None:
        self._connection.send(may_write=False)

    def resume_writing(self) -> None:
        self._connection.send(may_write=True)

    def connection_lost(self, error: Exception | None) -> None:
        self._connection.ended(error if isinstance(error, OSError) else None)
        self._gone.set_result(None)
