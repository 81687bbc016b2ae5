#!/usr/bin/env python3
"""Checks who includes whom in include/, and that the computing rooms touch nothing of the world outside.

Usage: layers.py INCLUDE_FOLDER. Prints one line per trespass and ends with 1 if there was any.
"""

import pathlib
import re
import sys

# A room is a folder of include/tokenpool, or a header directly in it, and may include what its row names: a whole
# room, or single headers of one ("pool/candidates.hpp"). A room that is not in the table may not exist.
CORE = ["base", "http", "quota", "pool", "policy", "retry"]
HOUSE = CORE + ["transport", "client", "core.hpp", "client.hpp"]
ROOMS = {
    "base": ["base"],
    "http": ["base", "http"],
    "quota": ["base", "http", "quota"],
    "pool": ["base", "http", "quota", "pool"],
    "policy": ["base", "policy", "pool/candidates.hpp", "pool/selection_policy.hpp"],
    "retry": CORE,
    "transport": ["base", "http", "transport", "quota/attempt.hpp", "quota/egress.hpp", "quota/verdict.hpp"],
    "client": CORE + ["transport", "client", "core.hpp"],
    "fwd.hpp": ["base"],
    "version.hpp": [],
    "core.hpp": CORE,
    "client.hpp": CORE + ["transport", "client", "core.hpp"],
    "tokenpool.hpp": HOUSE + ["json"],
    # Side doors: they may use the whole house, and nobody in it knows them.
    "json": HOUSE + ["json"],
    "ledger": HOUSE + ["ledger"],
    "testing": HOUSE + ["testing"],
    "testing.hpp": HOUSE + ["testing"],
    "alerts": HOUSE + ["alerts", "json"],
    "alerts.hpp": HOUSE + ["alerts", "json"],
    "prometheus": HOUSE + ["prometheus"],
    "prometheus.hpp": HOUSE + ["prometheus"],
    "openai.hpp": HOUSE + ["json"],
}
FOR_ALL = ["fwd.hpp", "version.hpp"]

# Libraries, by how their headers are spelled, and the rooms that may include them. The longest prefix counts.
LIBRARIES = {
    "curl/": ["transport"],
    "nlohmann/": ["json"],
    "nlohmann/json_fwd.hpp": ["json", "client", "client.hpp"],
    "hiredis/": ["ledger"],
    "openssl/": ["ledger"],
    "sqlite3": ["ledger"],
    "prometheus/": ["prometheus", "prometheus.hpp"],
}

# Below transport everything is computed from what is handed in.
SANS_IO = CORE + ["fwd.hpp", "version.hpp", "core.hpp"]
OUTSIDE_HEADERS = re.compile(
    r"(thread|stop_token|future|condition_variable|semaphore|latch|barrier|fstream|filesystem|iostream"
    r"|unistd\.h|time\.h|pthread\.h|sys/.*|netinet/.*|windows\.h)")
OUTSIDE_WORDS = {
    "reads a clock": re.compile(
        r"(?:::|\.|->)\s*now\s*\(\s*\)|\b(?:clock_gettime|gettimeofday|timespec_get)\b|\btime\s*\(\s*(?:nullptr|NULL|0)\s*\)"),
    "sleeps": re.compile(r"\bthis_thread\b|\b(?:nanosleep|usleep)\s*\(|::\s*sleep\s*\("),
    "starts a thread": re.compile(r"\bstd\s*::\s*(?:thread|jthread|async)\b"),
    "opens a file": re.compile(r"\b(?:fopen|freopen|[io]?fstream|filesystem)\b"),
    "prints": re.compile(r"\b(?:stdout|stderr|v?f?printf|f?puts|cout|cerr|clog)\b"),
}

LITERALS_AND_COMMENTS = re.compile(
    r"""//[^\n]*|/\*.*?\*/"""
    r"""|(?P<include>^[ \t]*\#[ \t]*include\b[^\n]*)"""
    r"""|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'""",
    re.DOTALL | re.MULTILINE)
INCLUDE = re.compile(r"""^[ \t]*\#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)""", re.MULTILINE)


def code_of(text):
    """The text without comments and literals; include lines and the line numbers stay."""
    return LITERALS_AND_COMMENTS.sub(lambda m: m["include"] or "\n" * m[0].count("\n"), text)


def may_include(room, header):
    """Whether a header of `room` may include `header`, a path below tokenpool/."""
    return header.split("/")[0] in ROOMS[room] + FOR_ALL or header in ROOMS[room]


def include_trespass(room, spelled, quoted):
    """What is wrong with one include, or None."""
    if spelled.startswith("tokenpool/"):
        header = spelled.removeprefix("tokenpool/")
        return None if may_include(room, header) else f"{room} may not include {header}"
    if quoted:
        return f'"{spelled}" is not written as "tokenpool/..."'
    prefix = max((p for p in LIBRARIES if spelled.startswith(p)), key=len, default=None)
    if prefix is not None and room not in LIBRARIES[prefix]:
        return f"{room} may not include <{spelled}>"
    if room in SANS_IO and OUTSIDE_HEADERS.fullmatch(spelled):
        return f"{room} may not include <{spelled}>: nothing below transport touches the world outside"
    return None


def trespasses(include_folder):
    """Yields one line per trespass under `include_folder`."""
    root = pathlib.Path(include_folder) / "tokenpool"
    for path in sorted(root.rglob("*.hpp")):
        name = path.relative_to(root).as_posix()
        room = name.split("/")[0]
        if room not in ROOMS:
            yield f"{name}: {room} is no room of this house; add its row to the table if it is to be one"
            continue
        code = code_of(path.read_text(encoding="utf-8"))
        for match in INCLUDE.finditer(code):
            wrong = include_trespass(room, match[1] or match[2], match[1] is not None)
            if wrong:
                yield f"{name}:{code.count(chr(10), 0, match.start()) + 1}: {wrong}"
        statements = INCLUDE.sub("", code) if room in SANS_IO else ""
        for deed, pattern in OUTSIDE_WORDS.items():
            for match in pattern.finditer(statements):
                line = statements.count("\n", 0, match.start()) + 1
                yield f"{name}:{line}: {deed} ({match[0].strip()}), which nothing below transport does"


def main():
    found = list(trespasses(sys.argv[1]))
    for line in found:
        print(line)
    headers = len(list((pathlib.Path(sys.argv[1]) / "tokenpool").rglob("*.hpp")))
    print(f"{headers} headers, {len(found)} trespasses")
    return 1 if found or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
