#!/usr/bin/env python3
"""Seeds one fault at a time into the headers of quota, pool and retry and asks their unit tests.

    tests/mutation/run [--count N] [--seed S] [--goal SHARE] [ROOM | HEADER]...
    tests/mutation/run --all

Without --all a sample of N mutants (150) is drawn by the seed, which is printed. A mutant is first shown to the test file that
mirrors its header, then to the others of the room and to the property suites that include it, until one fails. Survivors are
listed; those that change no behaviour go into no_effect.txt, which is left out of the samples. Ends with 1 when less than SHARE
(0.9) of what compiles is killed.
"""

import argparse
import collections
import concurrent.futures
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from operators import Mutant, mutants_of

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "mutation"
CXX = os.environ.get("CXX", "clang++")
# A step beyond an array's end is a fault: the sanitizers of tests/run would tell.
FLAGS = ["-std=c++20", "-O0", "-w", "-D_GLIBCXX_ASSERTIONS", f"-I{ROOT}/include", f"-I{ROOT}/tests",
         f"-I{ROOT}/tests/unit"]
BELOW = {"quota": ("base", "http"), "pool": ("base", "http", "quota"), "retry": ("base", "http", "quota", "pool")}


def command(*words: object, seconds: int = 600) -> tuple[int, str]:
    """Exit code and output; -1 when it computes for that long, or waits for ever. A mutant may want all memory there is."""
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))

    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL, preexec_fn=limit, cwd=BUILD, start_new_session=True)
    try:
        # Wall time only ends what waits: a busy machine makes nothing of a mutant.
        output = process.communicate(timeout=10 * seconds)[0]
        code = -1 if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL) else process.returncode
        return code, output.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return -1, "timeout"


def must(*words: object) -> str:
    code, output = command(*words)
    if code != 0:
        sys.exit(f"{' '.join(map(str, words))}\n{output}")
    return output


class Room:
    """The tests of one room, with all that lies below it compiled once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = BUILD / name
        self.folder.mkdir(parents=True, exist_ok=True)
        begin = self.folder / "begin.hpp"
        headers = [f"tokenpool/{p.relative_to(ROOT / 'include/tokenpool')}"
                   for below in BELOW[name] for p in sorted((ROOT / "include/tokenpool" / below).glob("*.hpp"))]
        begin.write_text("".join(f'#include "{h}"\n' for h in ["catch_compat.hpp", *headers]))
        must(CXX, *FLAGS, "-x", "c++-header", begin, "-o", f"{begin}.pch")
        self.begin = ["-include-pch", f"{begin}.pch"]
        # The property suites count as tests of what they are about.
        folders = (ROOT / "tests/unit" / name, ROOT / "tests/unit/testing")
        self.tests = sorted(test for folder in folders for test in folder.rglob("*_test.cpp"))
        self.needs = {test: self.included(test) for test in self.tests}

    def included(self, test: Path) -> set[str]:
        rule = must(CXX, *FLAGS, "-MM", test)
        return {m.replace(f"{ROOT}/include/", "") for m in re.findall(r"\S+/include/(?:tokenpool/\S+)", rule)}

    def asked(self, header: str) -> list[Path]:
        """The mirrored test first, then those with little to compile."""
        mirrored = ROOT / "tests/unit" / Path(header).relative_to("tokenpool").with_suffix("")
        concerned = [test for test in self.tests if header in self.needs[test]]
        return sorted(concerned, key=lambda test: (test.with_suffix("") != Path(f"{mirrored}_test"), len(self.needs[test])))

    def run(self, test: Path, folder: Path, overlay: list[str]) -> str:
        """passed, failed, timeout or broken (does not compile)."""
        program = folder / test.stem
        code, _ = command(CXX, *self.begin, *overlay, *FLAGS, test, BUILD / "main.o", "-o", program, "-lcurl", "-lpthread")
        if code != 0:
            return "broken"
        code, _ = command(program, seconds=30)
        program.unlink()
        return "passed" if code == 0 else "timeout" if code == -1 else "failed"


def judge(room: Room, mutant: Mutant, number: int) -> str:
    folder = room.folder / str(number)
    shutil.rmtree(folder, ignore_errors=True)
    copy = folder / mutant.header
    copy.parent.mkdir(parents=True)
    lines = (ROOT / "include" / mutant.header).read_text().split("\n")
    lines[mutant.line - 1] = mutant.after
    copy.write_text("\n".join(lines))
    verdict = "survived"
    for test in room.asked(mutant.header):
        said = room.run(test, folder, [f"-I{folder}"])
        if said != "passed":
            verdict = {"failed": "killed", "timeout": "timeout", "broken": "not compiled"}[said]
            break
    shutil.rmtree(folder)
    return verdict


def name_of(mutant: Mutant) -> str:
    """As no_effect.txt has it: without the line's number and what is said of a member."""
    before, after = (re.sub(r"\s*///<.*", "", text).strip() for text in (mutant.before, mutant.after))
    return f"{mutant.header}: {before}  ->  {after}"


def possible() -> list[Mutant]:
    """All but those that were found to change nothing."""
    mutants: list[Mutant] = []
    for header in sorted((ROOT / "include/tokenpool").rglob("*.hpp")):
        name = str(header.relative_to(ROOT / "include"))
        if name.split("/")[1] in BELOW:
            mutants += mutants_of(name, header.read_text())
    lines = Path(__file__).with_name("no_effect.txt").read_text().split("\n")
    judged = {line for line in lines if line and not line.startswith("#")}
    if unknown := judged - {name_of(mutant) for mutant in mutants}:
        sys.exit("no_effect.txt names what is no mutant any more: look at it again.\n" + "\n".join(sorted(unknown)))
    return [mutant for mutant in mutants if name_of(mutant) not in judged]


def chosen(options: argparse.Namespace) -> list[Mutant]:
    mutants = [one for one in possible() if not options.about or any(
        about in (one.header.split("/")[1], one.header, Path(one.header).name) for about in options.about)]
    print(f"{len(mutants)} possible mutants; seed {options.seed}", flush=True)
    random.Random(options.seed).shuffle(mutants)
    return mutants if options.all else mutants[:options.count]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--goal", type=float, default=0.9)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("about", nargs="*")
    options = parser.parse_args()
    mutants = chosen(options)
    BUILD.mkdir(parents=True, exist_ok=True)
    must(CXX, *FLAGS, "-c", ROOT / "tests/main.cpp", "-o", BUILD / "main.o")
    rooms = {name: Room(name) for name in sorted({mutant.header.split("/")[1] for mutant in mutants})}
    counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    lock = threading.Lock()

    def ask(numbered: tuple[int, Mutant]) -> None:
        number, mutant = numbered
        room = mutant.header.split("/")[1]
        verdict = judge(rooms[room], mutant, number)
        with lock:
            counts[room][verdict] += 1
            counts["all"][verdict] += 1
            print(f"{verdict:12} {mutant}", flush=True)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(ask, enumerate(mutants)))
    print()
    for room, count in sorted(counts.items()):
        compiled = sum(count.values()) - count["not compiled"]
        caught = count["killed"] + count["timeout"]
        print(f"{room:6} {caught} of {compiled} killed ({100 * caught / max(compiled, 1):.1f} %), {count['timeout']} of them by the "
              f"clock; {count['survived']} survived; {count['not compiled']} did not compile")
    total = counts["all"]
    compiled = sum(total.values()) - total["not compiled"]
    return 0 if compiled > 0 and total["killed"] + total["timeout"] >= options.goal * compiled else 1


if __name__ == "__main__":
    sys.exit(main())
