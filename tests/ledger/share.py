#!/usr/bin/env python3
"""Lets processes share one limit over a file or a Redis server, and holds their work against the service's own count.

Usage: share.py --build BUILD_FOLDER [--store sqlite|redis] [--kill SECONDS] [--processes 8] [--threads 4]
                [--tokens 5] [--limit 1000] [--window SECONDS] [--windows 10] [--kind rolling] [--used 0.98]

Ends with 1 if the service refused a single request, if a window was used less than --used (not with --kill), or if the
file of counts is broken or holds a token. With --kill a process is killed with SIGKILL every so many seconds and another
one started.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--store", default="sqlite", choices=["sqlite", "redis"])
    parser.add_argument("--kill", type=float, default=0)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=5)
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--window", type=float, default=6)
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--kind", default="rolling", choices=["rolling", "fixed", "first-request"])
    parser.add_argument("--used", type=float, default=0.98)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    return parser.parse_args()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Run:
    """One service, one store, and the processes that share it."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.tokens = [f"sk-canary-{letter}{letter}{letter}{letter}" for letter in "abcdefghijkl"[: options.tokens]]
        self.window_ms = round(options.window * 1000)
        self.log = folder / "log"
        self.redis = None
        self.counts = str(folder / "counts.db")
        if options.store == "redis":
            port = free_port()
            self.redis = subprocess.Popen(
                ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
                stdout=subprocess.DEVNULL)
            self.counts = f"redis://127.0.0.1:{port}"
            time.sleep(1)
        self.server = subprocess.Popen(
            [options.build / "examples/quota_server/quota_server", "--tokens", ",".join(self.tokens), "--limit",
             str(options.limit), "--window", f"{self.window_ms}ms", "--window-kind", options.kind, "--log", self.log],
            stdout=subprocess.PIPE, text=True)
        self.url = self.server.stdout.readline().split()[-1] + "/v1"
        self.ends = time.monotonic() + options.window * (options.windows + 0.9) + 4

    def start_one(self):
        left = round((self.ends - time.monotonic()) * 1000)
        return subprocess.Popen(
            [self.options.build / "examples/shared_counts/shared_counts", "--url", self.url, "--tokens",
             ",".join(self.tokens), "--counts", self.counts, "--limit", str(self.options.limit), "--window",
             f"{self.window_ms}ms", "--threads", str(self.options.threads), "--for", f"{left}ms"])

    def killed_at_random(self, processes):
        dice = random.Random(self.options.seed)
        killed = 0
        while time.monotonic() + 2 * self.options.kill < self.ends:
            time.sleep(self.options.kill * (0.5 + dice.random()))
            victim = dice.randrange(len(processes))
            processes[victim].send_signal(signal.SIGKILL)
            processes[victim].wait()
            processes[victim] = self.start_one()
            killed += 1
        return killed

    def close(self):
        for process in (self.server, self.redis):
            if process is not None:
                process.terminate()
                process.wait()


def judge_log(run):
    """The service's own count: refusals, and how full each window was for each token."""
    answered = collections.defaultdict(list)
    refused = 0
    for line in run.log.read_text().splitlines():
        visit = json.loads(line)
        instant = datetime.datetime.fromisoformat(visit["time"].replace("Z", "+00:00")).timestamp()
        refused += visit["status"] == 429
        if visit["status"] == 200:
            answered[visit["token"]].append(instant)
    begin = min((instants[0] for instants in answered.values()), default=0)
    shares = []
    for window in range(run.options.windows):
        since = begin + window * run.options.window
        used = sum(since <= instant < since + run.options.window for instants in answered.values() for instant in instants)
        shares.append(used / (run.options.limit * run.options.tokens))
    return refused, sum(map(len, answered.values())), shares


def judge_file(run):
    faults = []
    with sqlite3.connect(run.counts) as file:
        if file.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            faults.append("the file of counts is broken")
    for part in run.folder.glob("counts.db*"):
        if b"canary" in part.read_bytes():
            faults.append(f"{part.name} holds a token")
        if part.stat().st_mode & 0o077:
            faults.append(f"{part.name} is open to others")
    return faults


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as name:
        run = Run(options, pathlib.Path(name))
        try:
            processes = [run.start_one() for _ in range(options.processes)]
            killed = run.killed_at_random(processes) if options.kill else 0
            failed = [process.wait() for process in processes]
            refused, answered, shares = judge_log(run)
            faults = judge_file(run) if options.store == "sqlite" else []
        finally:
            run.close()
    print(f"{options.store}: {options.processes} processes x {options.threads} threads, {options.tokens} tokens x "
          f"{options.limit} per {options.window} s, {options.kind}, {killed} killed (seed {options.seed})")
    print(f"{answered} answered, {refused} met 429; of each window was used: " +
          " ".join(f"{share:.1%}" for share in shares))
    if refused:
        faults.append(f"{refused} requests met 429")
    if any(failed):
        faults.append("a process failed")
    if not options.kill and min(shares) < options.used:
        faults.append(f"a window was used {min(shares):.1%} only")
    for fault in faults:
        print("FAULT:", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
