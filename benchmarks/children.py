"""Programs that a comparison runs beside each other: started, asked line by line, measured and ended."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release" / "benchmarks"
QUOTA_SERVER = ROOT / "build" / "release" / "examples" / "quota_server" / "quota_server"
TOKENPOOL_GATEWAY = ROOT / "build" / "release" / "examples" / "gateway" / "tokenpool_gateway"
NODE_FOLDER = ROOT / "build" / "peers"
PYTHON = "/usr/bin/python3"  # whose modules are Debian's packages


class Child:
    """A program that ends with this one: its input closes, and setpriv has it told."""

    def __init__(self, *command, **options):
        words = ["setpriv", "--pdeathsig", "TERM", *map(str, command)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(words, **{**pipes, **options})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def line(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(map(str, self.process.args[3:5]))} ended early")
        return line.strip()

    def ask(self, question: str) -> str:
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return self.line()

    def cpu_seconds(self) -> float:
        """Of all its threads until now; the clock is that of clock_getcpuclockid(3)."""
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def mebibytes(self) -> float:
        """The most memory that it has had."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port: int) -> None:
    """Until somebody listens at the port."""
    for _ in range(1000):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"nobody came to listen at port {port}")


def tokenpool_gateway(folder: pathlib.Path, url: str, keys: list, limits: list) -> tuple:
    """examples/gateway before the server at `url`, and the URL at which it listens itself."""
    configuration = folder / "gateway.json"
    configuration.write_text(json.dumps({"base_url": url.removesuffix("/v1"), "tokens": keys, "limits": limits, "log": False}))
    child = Child(TOKENPOOL_GATEWAY, configuration, stderr=subprocess.DEVNULL)
    return child, child.line().rpartition(" ")[2] + "/v1"


def portkey() -> tuple:
    """Portkey's gateway, without its page for the browser and without notes about each request, and its URL."""
    port = free_port()
    script = NODE_FOLDER / "node_modules/@portkey-ai/gateway/build/start-server.js"
    environment = {**os.environ, "NODE_ENV": "production"}
    child = Child("node", script, f"--port={port}", "--headless", env=environment, cwd=NODE_FOLDER,
                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(port)
    return child, f"http://127.0.0.1:{port}/v1"
