"""A tenant that writes down each call with its time, and obeys a rate.

    python3 Drills/fleet_tenant.py READY-FILE LOG-FILE [--per-minute N] [--burst N] [--slowest SECONDS] [--lifetime S]

It listens on a free port of 127.0.0.1 and writes its URL to the ready file. A token is `USER.NUMBER`, so that it tells
whose it is, and it lives as long as the user's name says (`l300-7` lives 300 seconds), or as `--lifetime` says. Each
call is a JSON line in the log: kind (`mint`, `throttled` or `revoke`), user, token, and the times of its arrival and of
its reply by the monotonic clock.
"""

import argparse
import asyncio
import json
import pathlib
import random
import re
import time


class Tenant:
    """The bucket, the number of the last token, and the log."""

    def __init__(self, options, log):
        self.options, self.log = options, log
        self.random = random.Random(options.seed)
        self.number = 0
        self.level, self.at = float(options.burst), time.monotonic()

    def pays(self, now):
        """Takes a call from the bucket, and returns if there was one."""
        gained = (now - self.at) * self.options.per_minute / 60
        self.level, self.at = min(self.options.burst, self.level + gained), now
        if self.level < 1:
            return False
        self.level -= 1
        return True

    async def answer(self, path, body):
        """Returns the status and the content of the reply to a call."""
        arrived = time.monotonic()
        pays = self.pays(arrived)
        if self.options.slowest:
            await asyncio.sleep(self.random.uniform(0, self.options.slowest))
        if path.endswith("/revoke"):
            token = body["token"]
            self.write("revoke", token.rpartition(".")[0], token, arrived)
            return 200, {}
        user = body["user_lookup"]["value"]
        if not pays:
            self.write("throttled", user, None, arrived)
            return 429, {"errors": [{"code": "HTTP-429", "title": "Too many requests"}]}
        self.number += 1
        token = f"{user}.{self.number}"
        self.write("mint", user, token, arrived)
        named = re.match(r"l(\d+)-", user)
        lifetime = int(named[1]) if named else self.options.lifetime
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": lifetime, "scope": "user_default"}

    def write(self, kind, user, token, arrived):
        """Adds a call to the log."""
        call = {"kind": kind, "user": user, "token": token, "arrived": arrived, "answered": time.monotonic()}
        self.log.write(json.dumps(call) + "\n")

    async def serve(self, reader, writer):
        """Answers the calls of a connection, one after another."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode()
                length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1])) if length else b"{}"
                status, content = await self.answer(path, json.loads(body or b"{}"))
                text = json.dumps(content).encode()
                form = b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%s\r\n%s"
                writer.write(form % (status, len(text), b"retry-after: 1\r\n" if status == 429 else b"", text))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def run(options):
    """Serves until the process ends."""
    # A line is in the file when its call is answered.
    with options.log.open("a", buffering=1) as log:
        server = await asyncio.start_server(Tenant(options, log).serve, "127.0.0.1", 0, backlog=512)
        partial = options.ready.with_suffix(".part")
        partial.write_text(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
        partial.rename(options.ready)
        await server.serve_forever()


def main():
    """Reads the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ready", type=pathlib.Path)
    parser.add_argument("log", type=pathlib.Path)
    parser.add_argument("--per-minute", type=float, default=10_000_000)
    parser.add_argument("--burst", type=float, default=10_000_000)
    parser.add_argument("--slowest", type=float, default=0, help="the longest wait before a reply, in seconds")
    parser.add_argument("--lifetime", type=int, default=21_600)
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
