"""Freezes one thread of another process, to imitate a loop that hangs; needs root."""

import contextlib
import ctypes
import os
import pathlib
import threading

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_LIBC.ptrace.restype = ctypes.c_long
_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_WALL = 0x40000000


def _ptrace(request, thread):
    if _LIBC.ptrace(request, thread, None, None) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of {thread}")


def _event_loops(process):
    """Lists the threads of the requests' reactor, then those of the network's event loops, and no others."""
    tasks = sorted(pathlib.Path(f"/proc/{process}/task").iterdir(), key=lambda task: int(task.name))
    names = [(task, (task / "comm").read_text().strip()) for task in tasks]
    reactors = [int(task.name) for task, name in names if name == "requests"]
    return reactors + [int(task.name) for task, name in names if name.startswith("NIO-ELT")]


@contextlib.contextmanager
def frozen_loop(process, number=0):
    """Stops one event loop of a process, while its other threads continue."""
    thread = _event_loops(process)[number]
    _ptrace(_SEIZE, thread)
    _ptrace(_INTERRUPT, thread)
    os.waitpid(thread, _WALL)
    # A killed process doesn't end before its traced thread has been waited for.
    waiter = threading.Thread(target=_await_end, args=(thread,))
    waiter.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            _ptrace(_DETACH, thread)
        waiter.join()


def _await_end(thread):
    with contextlib.suppress(ChildProcessError):
        os.waitpid(thread, _WALL)
