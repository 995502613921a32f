"""A stand-in for the service manager, which holds sockets and stored descriptors as systemd does."""

import fcntl
import os
import socket
import subprocess
import threading
import time

FIRST_DESCRIPTOR = 3
"""The first descriptor that the service manager passes (sd_listen_fds(3))."""
TIMEOUT = 120
"""The limit for a start, in seconds."""


class Manager:
    """Holds sockets and stored descriptors, and hands them to each daemon that it starts."""

    def __init__(self, directory):
        self.store = {}
        # The time at which a daemon was last ready.
        self.ready_at = None
        self._listening = {name: self._listen(directory / f"{name}.sock") for name in ("requests", "admin")}
        self._notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notifications.bind(str(directory / "notifications"))
        self._path = str(directory / "notifications")
        self._ready = threading.Event()
        threading.Thread(target=self._read_notifications, daemon=True).start()

    @staticmethod
    def _listen(path):
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen(4096)
        return listening

    def _read_notifications(self):
        while True:
            message, descriptors, _, _ = socket.recv_fds(self._notifications, 65536, 16)
            lines = dict(line.split("=", 1) for line in message.decode().splitlines() if "=" in line)
            name = lines.get("FDNAME")
            if lines.get("FDSTORE") == "1":
                self.store.setdefault(name, []).extend(descriptors)
                continue
            if lines.get("FDSTOREREMOVE") == "1":
                for descriptor in self.store.pop(name, []):
                    os.close(descriptor)
            if lines.get("READY") == "1":
                self.ready_at = time.monotonic()
                self._ready.set()
            # The descriptor of a BARRIER=1: closing it confirms that all earlier notifications were read.
            for descriptor in descriptors:
                os.close(descriptor)

    def start(self, command, log):
        """Starts a daemon with all that is held, and returns its process."""
        self._ready.clear()
        handed_over = [(name, listening.fileno()) for name, listening in self._listening.items()]
        handed_over += [(name, descriptor) for name, kept in self.store.items() for descriptor in kept]
        # Far above their final numbers first, so that none is overwritten before it is moved.
        moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 64) for _, descriptor in handed_over]
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": self._path,
            "LISTEN_FDS": str(len(handed_over)),
            "LISTEN_FDNAMES": ":".join(name for name, _ in handed_over),
        }
        # The shell becomes the daemon, so its process ID is the one that LISTEN_PID needs.
        script = (
            "".join(f"exec {FIRST_DESCRIPTOR + index}<&{descriptor};" for index, descriptor in enumerate(moved))
            + 'LISTEN_PID=$$ exec "$@"'
        )
        process = subprocess.Popen(
            ["bash", "-c", script, "bash", *command], env=environment, pass_fds=moved, stderr=log, stdout=log
        )
        for descriptor in moved:
            os.close(descriptor)
        return process

    def wait_until_ready(self):
        """Waits until the daemon has said that it is ready."""
        if not self._ready.wait(TIMEOUT):
            raise RuntimeError("the daemon is not ready")
