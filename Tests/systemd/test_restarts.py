"""Restarts of the daemon, which lose no tokens and no requests."""

import ctypes
import os
import pathlib
import sys
import threading

from machine import (
    ADMIN,
    SOURCES,
    MachineTestCase,
    ask,
    configure,
    entries,
    kill_daemon,
    property_of,
    systemctl,
    token,
)

sys.path.insert(0, str(SOURCES / "Clients/python/src"))

from tokencached import TokenCache, TokenCacheError

MEMFD_SECRET = 447
"""The number of its system call, on all kinds of machines."""


class Load:
    """Threads that request tokens all the time, and note requests without an answer.

    Each request has a connection of its own, unless all share a client's.
    """

    def __init__(self, subjects, ask=token):
        self.answered = 0
        self.lost = []
        self._ask = ask
        self._subjects = subjects
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(subject,)) for subject in subjects]

    def _run(self, subject):
        while not self._end.is_set():
            try:
                self._ask(subject)
                fault = None
            except (OSError, AssertionError, TokenCacheError) as error:
                fault = repr(error)
            with self._lock:
                if fault is None:
                    self.answered += 1
                else:
                    self.lost.append(fault)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()


class Restarts(MachineTestCase):
    def warm(self, count=4):
        subjects = [self.subject(str(number)) for number in range(count)]
        return {subject: token(subject)["access_token"] for subject in subjects}

    def assert_same(self, given):
        for subject, expected in given.items():
            self.assertEqual(token(subject)["access_token"], expected)

    def test_twenty_restarts_under_load_lose_no_request_and_no_token(self):
        given = self.warm()
        with self.no_mint(), Load(list(given)) as load:
            for _ in range(20):
                systemctl("restart", "tokencached.service")
        self.assertEqual(load.lost, [])
        self.assertGreater(load.answered, 20 * len(given))
        self.assert_same(given)

    def test_restarts_lose_no_request_on_a_kept_connection(self):
        given = self.warm()
        client = TokenCache()
        with self.no_mint(), Load(list(given), lambda subject: client.token(subject=subject)) as load:
            for _ in range(20):
                systemctl("restart", "tokencached.service")
        client.close()
        self.assertEqual(load.lost, [])
        self.assertGreater(load.answered, 20 * len(given))

    def test_restarting_the_sockets_keeps_the_tokens(self):
        given = self.warm()
        with self.no_mint():
            systemctl("restart", "tokencached.socket")
            self.assert_same(given)

    def test_the_manager_may_reexecute_itself(self):
        given = self.warm()
        with self.no_mint():
            systemctl("daemon-reexec")
            systemctl("restart", "tokencached.service")
            self.assert_same(given)

    def test_a_stop_ends_the_tokens(self):
        self.warm()
        systemctl("stop", "tokencached.service")
        self.assertEqual(property_of("NFileDescriptorStore"), "0")
        self.assertEqual(entries(), 0)

    def test_flushed_and_evicted_tokens_do_not_come_back(self):
        given = self.warm()
        first = next(iter(given))
        ask({"op": "evict", "subject": first}, ADMIN)
        kill_daemon()
        self.assertEqual(entries(), len(given) - 1)
        ask({"op": "flush"}, ADMIN)
        kill_daemon()
        self.assertEqual(entries(), 0)

    def test_tokens_outlive_many_restarts(self):
        """Tokens from earlier daemons and new ones are kept over restarts and crashes."""
        given = self.warm(40)
        for number in range(8):
            subject = self.subject(f"late-{number}")
            given[subject] = token(subject)["access_token"]
            with self.no_mint():
                if number % 2 == 0:
                    systemctl("restart", "tokencached.service")
                else:
                    kill_daemon()
                self.assert_same(given)
        self.assertEqual(entries(), len(given))
        self.assertEqual(property_of("NFileDescriptorStore"), "1")

    def test_many_tokens_move_to_larger_files(self):
        subjects = [self.subject(str(number)) for number in range(3000)]
        self.assertEqual(ask({"op": "prefetch", "subjects": subjects[:1000]})["queued"], 1000)
        given = {subject: token(subject)["access_token"] for subject in subjects}
        with self.no_mint():
            kill_daemon()
            self.assert_same(given)
        self.assertEqual(property_of("NFileDescriptorStore"), "1")

    def test_another_client_does_not_get_them(self):
        self.warm()
        configure(client="other")
        systemctl("restart", "tokencached.service")
        self.assertEqual(entries(), 0)

    def test_it_can_be_switched_off_and_on(self):
        self.warm()
        configure(settings="cache: { keep_across_restarts: false }")
        systemctl("reload", "tokencached.service")
        self.assertEqual(property_of("NFileDescriptorStore"), "0")
        systemctl("restart", "tokencached.service")
        self.assertEqual(entries(), 0)
        given = self.warm()
        configure()
        systemctl("reload", "tokencached.service")
        with self.no_mint():
            systemctl("restart", "tokencached.service")
            self.assert_same(given)

    def test_root_cannot_read_the_kept_tokens(self):
        self.warm()
        self.assertEqual(property_of("NFileDescriptorStore"), "1")
        probe = ctypes.CDLL(None).syscall(MEMFD_SECRET, 0)
        if probe < 0:
            self.skipTest("this kernel has no memfd_secret")
        os.close(probe)
        kept = [file for file in pathlib.Path("/proc/1/fd").iterdir() if "secretmem" in os.readlink(file)]
        self.assertEqual(len(kept), 1)
        for file in kept:
            with self.assertRaises(OSError):
                file.read_bytes()
