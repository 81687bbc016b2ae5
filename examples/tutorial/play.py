#!/usr/bin/env python3
"""Plays an example against a quota server of its own: starts the server that the example's first lines ask for, hands
its URL over, and shows what the example prints.

Usage: play.py [--check] SOURCE PROGRAM QUOTA_SERVER. With --check what it prints is compared with the lines below
"prints:" at the end of its source.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time


def comment_after(mark, source):
    """What a line `// mark: ...` of the source says; None without one."""
    found = re.search(rf"^// {mark}: (.+)$", source, re.MULTILINE)
    return found and found[1]


def expected_output(source):
    """The lines of the comment `// prints:`."""
    return re.findall(r"^//   (.+)$", source.partition("// prints:\n")[2], re.MULTILINE)


class Guests:
    """The servers that an example needs; they end with the block."""

    def __init__(self, source, quota_server):
        self.source, self.quota_server = source, quota_server
        self.processes, self.environment, self.arguments = [], dict(os.environ), []
        self.folder = tempfile.TemporaryDirectory()
        self.environment["TMPDIR"] = self.folder.name

    def __enter__(self):
        options = comment_after("server", self.source)
        if options:
            words = options.split()
            self.environment["TOKENS"] = words[words.index("--tokens") + 1]
            server = self.start([self.quota_server, "--exit-with-parent", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.arguments = [server.stdout.readline().decode().split()[-1] + "/v1"]
        if comment_after("needs", self.source) == "redis-server":
            self.environment["REDIS_HOST"] = self.start_redis()
        return self

    def start(self, command, **pipes):
        self.processes.append(subprocess.Popen(command, **pipes))
        return self.processes[-1]

    def start_redis(self):
        """Listens on a socket of its own in the file system, so that no port can be taken already."""
        path = os.path.join(self.folder.name, "redis.sock")
        self.start([shutil.which("redis-server") or sys.exit("redis-server is not installed"), "--port", "0",
                    "--unixsocket", path, "--save", "", "--dir", self.folder.name], stdout=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket(socket.AF_UNIX) as probe:
                if os.path.exists(path) and probe.connect_ex(path) == 0:
                    return path
            time.sleep(0.05)
        sys.exit("redis-server does not answer")

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
            process.wait()
        self.folder.cleanup()


def main(arguments):
    check = "--check" in arguments
    source_path, program, quota_server = (word for word in arguments if word != "--check")
    source = pathlib.Path(source_path).read_text()
    with Guests(source, quota_server) as guests:
        played = subprocess.run([program, *guests.arguments], env=guests.environment, check=False, timeout=60,
                                stdout=subprocess.PIPE if check else None, text=True)
    if not check:
        return played.returncode
    print(played.stdout, end="")
    printed = [line.rstrip() for line in played.stdout.splitlines()]
    expected = expected_output(source)
    if printed != expected or not expected:
        print("\nIts source says that it prints:", *expected, sep="\n")
    return played.returncode or int(printed != expected or not expected)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
