#!/usr/bin/env python3
"""Lets processes share one limit over a file or a Redis server, and holds their work against the service's own count.

Usage: share.py --build BUILD_FOLDER [--store sqlite|redis] [--trouble none|kill|cut|pause|flush|restart|any|lose_all]
                [--processes 8] [--threads 4] [--tokens 5] [--limit 1000] [--window SECONDS] [--windows 10]
                [--kind rolling] [--used 0.98]

Ends with 1 if the service refused a single request, if a window was used less than --used (not with trouble), or if the
counts are broken or hold a token. Trouble: processes are killed with SIGKILL and others started; with Redis connections
are cut, the server is held still, emptied, stopped and started, any of these, or everything is lost at once.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import time

import trouble


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--store", default="sqlite", choices=["sqlite", "redis"])
    parser.add_argument("--trouble", default="none", choices=["none", "lose_all", *trouble.Trouble.PAUSES])
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
            self.redis = trouble.Redis(folder)
            self.counts = f"redis://127.0.0.1:{self.redis.port}"
        self.server = subprocess.Popen(
            [options.build / "examples/quota_server/quota_server", "--tokens", ",".join(self.tokens), "--limit",
             str(options.limit), "--window", f"{self.window_ms}ms", "--window-kind", options.kind, "--log", self.log],
            stdout=subprocess.PIPE, text=True)
        self.url = self.server.stdout.readline().split()[-1] + "/v1"
        self.ends = time.monotonic() + options.window * (options.windows + 0.9) + 4

        self.processes = [self.start_one() for _ in range(options.processes)]

    def start_one(self, *more):
        left = round((self.ends - time.monotonic()) * 1000)
        return subprocess.Popen(
            [self.options.build / "examples/shared_counts/shared_counts", "--url", self.url, "--tokens",
             ",".join(self.tokens), "--counts", self.counts, "--limit", str(self.options.limit), "--window",
             f"{self.window_ms}ms", "--threads", str(self.options.threads), "--for", f"{left}ms", *more])

    def replace(self, victim):
        self.processes[victim].kill()
        self.processes[victim].wait()
        self.processes[victim] = self.start_one()

    def close(self):
        self.server.terminate()
        self.server.wait()
        if self.redis is not None:
            self.redis.stop()


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


def judge_counts(run):
    faults = []
    if run.redis is not None:
        told = b"".join(part.read_bytes() for part in run.folder.rglob("*.aof"))
        if b"{tokenpool}:" not in told or b"canary" in told:
            faults.append("the Redis server was told nothing, or a token")
        return faults
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
            troubles = trouble.Trouble(run, options.seed)
            if options.trouble == "lose_all":
                troubles.lose_all()
            elif options.trouble != "none":
                troubles.make(options.trouble)
            failed = [process.wait() for process in run.processes]
            refused, answered, shares = judge_log(run)
            faults = judge_counts(run)
        finally:
            run.close()
    print(f"{options.store}: {options.processes} processes x {options.threads} threads, {options.tokens} tokens x "
          f"{options.limit} per {options.window} s, {options.kind}; trouble: {options.trouble}, {troubles.times} times (seed {options.seed})")
    print(f"{answered} answered, {refused} met 429; of each window was used: " +
          " ".join(f"{share:.1%}" for share in shares))
    if refused:
        faults.append(f"{refused} requests met 429")
    if any(failed):
        faults.append("a process failed")
    if options.trouble == "none" and min(shares) < options.used:
        faults.append(f"a window was used {min(shares):.1%} only")
    for fault in faults:
        print("FAULT:", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
