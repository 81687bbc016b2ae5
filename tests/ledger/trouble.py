"""What may happen to a store and to those who share it, while they share it. Used by share.py."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import time


class Redis:
    """A Redis server that has each change on the disk before it answers."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self):
        program = os.environ.get("TOKENPOOL_REDIS_SERVER", "redis-server")
        self.process = subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "",
             "--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no"],
            stdout=subprocess.DEVNULL)
        while self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.command("PING") == b"+PONG\r\n":
                    return
            time.sleep(0.02)
        raise RuntimeError("redis-server did not start")

    def command(self, words):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(words.encode() + b"\r\n")
            return connection.recv(4096)

    def stop(self, sign=signal.SIGTERM):
        self.process.send_signal(sign)
        self.process.send_signal(signal.SIGCONT)
        self.process.wait()


class Trouble:
    """Troubles a run of share.py, by a seed. A method is a kind of trouble."""

    def __init__(self, run, seed):
        self.run = run
        self.dice = random.Random(seed)
        self.times = 0

    def make(self, kind):
        """Makes trouble of `kind` again and again, with time to recover at the end."""
        least, most = self.PAUSES[kind]
        time.sleep(self.dice.uniform(least, most))
        while time.monotonic() + most < self.run.ends:
            getattr(self, kind)()
            self.times += 1
            time.sleep(self.dice.uniform(least, most))

    # A store that is new or was started again grants nothing for two seconds: sooner trouble would only be silence.
    PAUSES = {"kill": (0.3, 1), "cut": (0.1, 0.4), "pause": (0.5, 2), "flush": (2, 5), "restart": (2, 5), "any": (1, 4)}

    def kill(self):
        self.run.replace(self.dice.randrange(len(self.run.processes)))

    def cut(self):
        self.run.redis.command("CLIENT KILL TYPE normal")

    def pause(self):
        self.run.redis.process.send_signal(signal.SIGSTOP)
        time.sleep(self.dice.uniform(0.5, 3))
        self.run.redis.process.send_signal(signal.SIGCONT)

    def flush(self):
        self.run.redis.command("FLUSHALL")

    def restart(self):
        self.run.redis.stop(self.dice.choice([signal.SIGTERM, signal.SIGKILL]))
        time.sleep(self.dice.uniform(0.1, 1.5))
        self.run.redis.start()

    def any(self):
        self.dice.choice([self.kill, self.cut, self.pause, self.flush, self.restart])()

    def lose_all(self):
        """Everybody dies and the store forgets: only waiting for a window helps those who come after."""
        time.sleep(self.run.options.window * 2)
        for process in self.run.processes:
            process.kill()
            process.wait()
        self.run.redis.command("FLUSHALL")
        self.run.processes = [self.run.start_one("--wait-window") for _ in self.run.processes]
        self.times = 1
