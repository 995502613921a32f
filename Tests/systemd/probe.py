"""Runs instead of the daemon in its sandbox, and prints as JSON what it was allowed to do."""

import ctypes
import errno
import json
import mmap
import os
import pathlib
import socket
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)


def attempt(action):
    """Tries an action and returns "done", or the error's name."""
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "done"


def call(function, *arguments):
    if getattr(LIBC, function)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), function)


def write(directory):
    path = pathlib.Path(directory) / "tokencached-probe"
    path.write_text("")
    path.unlink()


def map_writable_code():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def status():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def main():
    fields = status()
    directories = (
        "/",
        "/etc",
        "/etc/tokencached",
        "/usr",
        "/var/tmp/..",
        "/root",
        "/home",
        "/run",
        "/run/tokencached",
        "/dev/shm/..",
    )
    families = ("AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG", "AF_BLUETOOTH")
    print(
        "probe "
        + json.dumps(
            {
                "write": {
                    directory: attempt(lambda directory=directory: write(directory)) for directory in directories
                },
                "family": {
                    name: attempt(lambda name=name: socket.socket(getattr(socket, name), socket.SOCK_RAW).close())
                    for name in families
                },
                "allowed_family": {
                    name: attempt(lambda name=name: socket.socket(getattr(socket, name), socket.SOCK_STREAM).close())
                    for name in ("AF_UNIX", "AF_INET", "AF_INET6")
                },
                "read": {
                    path: attempt(lambda path=path: pathlib.Path(path).read_bytes())
                    for path in (
                        "/etc/tokencached/main-client-secret",
                        "/etc/shadow",
                        "/proc/1/environ",
                        "/var/log/lastlog",
                    )
                },
                "unshare": attempt(lambda: call("unshare", 0x10000000)),
                "mount": attempt(lambda: call("mount", b"none", b"/mnt", b"tmpfs", 0, None)),
                "ptrace": attempt(lambda: call("ptrace", 16, os.getppid(), None, None)),
                "setuid": attempt(lambda: os.setuid(0)),
                "realtime": attempt(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))),
                "execute": attempt(lambda: subprocess.run(["/bin/true"], check=True)),
                "writable_code": attempt(map_writable_code),
                "setuid_file": attempt(make_setuid_file),
                "processes": sorted(
                    int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()
                ),
                "devices": sorted(os.listdir("/dev")),
                "NoNewPrivs": fields["NoNewPrivs"],
                "Seccomp": fields["Seccomp"],
                "CapEff": fields["CapEff"],
                "CapBnd": fields["CapBnd"],
                "core": resource_limit(),
                "uid": os.getuid(),
            }
        )
    )
    sys.stdout.flush()


def make_setuid_file():
    path = pathlib.Path("/tmp/tokencached-probe")
    path.write_text("")
    path.chmod(0o4755)


def resource_limit():
    import resource

    return resource.getrlimit(resource.RLIMIT_CORE)[0]


main()
