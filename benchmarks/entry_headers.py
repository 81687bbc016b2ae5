"""The headers that a program includes first, what it would include by hand instead, and what the compiler takes for
each: for benchmarks/compile_time and tests/budgets."""

import os
import pathlib
import resource
import subprocess

BASELINE = "curl/curl.h + nlohmann/json.hpp"
ENTRY_HEADERS = ["tokenpool/core.hpp", "tokenpool/client.hpp", "tokenpool/tokenpool.hpp"]
INCLUDE = pathlib.Path(__file__).resolve().parent.parent / "include"


def write_sources(folder: str) -> dict:
    """A file for each that includes it and does nothing; by name, the baseline first."""
    sources = {}
    for number, name in enumerate([BASELINE, *ENTRY_HEADERS]):
        sources[name] = pathlib.Path(folder) / f"case_{number}.cpp"
        includes = "".join(f"#include <{header}>\n" for header in name.split(" + "))
        sources[name].write_text(includes + "int main() {}\n")
    return sources


def compile_with(words: list, source: pathlib.Path) -> str:
    """Runs the compiler that CXX names, by default g++, in the source's folder; returns what it prints."""
    command = [os.environ.get("CXX", "g++"), "-std=c++20", f"-I{INCLUDE}", *words, str(source)]
    return subprocess.run(command, check=True, cwd=source.parent, stdout=subprocess.PIPE, text=True).stdout


def cpu_seconds(source: pathlib.Path, words: list) -> float:
    """What compile_with takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    compile_with(words, source)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
