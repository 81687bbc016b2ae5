#!/usr/bin/env python3
"""Holds README and docs/ to what they say: every C++ snippet compiles, every link leads somewhere, and every test that
is named exists.

Usage: docs_check.py links | docs_check.py snippets COMPILER [FLAG...] | docs_check.py reference TAG_FILE

The last one is for scripts/docs: every public name is in the reference, by the tag file that Doxygen writes.

A snippet is a block ```cpp. With a `main` it is a whole file, else the inside of a function; its includes come first either
way. What a fragment takes from its surroundings is declared in a comment before it, which a reader of the page does not see:
`<!-- given: std::string password; -->`. A fragment that begins with a dot is a part of ClientOptions. All snippets are
compiled as one unit, each in a namespace of its own.
"""

import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(?:<!-- given: (?P<given>(?:(?!-->).)*?) -->\s*)?^```cpp\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")
NAMED_TEST = re.compile(r"\]\(([^)]*_test\.cpp)\)((?::|,) (?:\"[^\"]+\"(?:, )?)+)", re.DOTALL)
PRELUDE = ("<atomic>", "<chrono>", "<coroutine>", "<iostream>", "<string>", "<vector>", "<tokenpool/tokenpool.hpp>",
           "<tokenpool/testing.hpp>")


def pages():
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*/README.md")])


def anchors(text):
    """The names that a page's headings have as targets of links."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page, text):
    """Yields a complaint for each link to a file, or a heading, that is not there."""
    for found in LINK.finditer(text):
        target, _, anchor = (found[1] or found[2]).partition("#")
        if re.match(r"\w+:", target):
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.exists():
            yield f"there is no {target}"
        elif anchor and anchor not in anchors(path.read_text()):
            yield f"{target} has no heading #{anchor}"


def unknown_tests(page, text):
    """Yields a complaint for each quoted name behind the link to a test file that no test of this file has."""
    for found in NAMED_TEST.finditer(text):
        source = re.sub(r'"\s*"', "", (page.parent / found[1]).read_text())
        for name in re.findall(r'"([^"]+)"', found[2]):
            if f'TEST_CASE("{" ".join(name.split())}"' not in re.sub(r"TEST_CASE\(\s+", "TEST_CASE(", source):
                yield f"{found[1]} has no test \"{name}\""


def check_links(page_list):
    complaints = []
    for page in page_list:
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        complaints += [f"{page.relative_to(ROOT)}: {words}" for words in (*broken_links(page, text), *unknown_tests(page, text))]
    return complaints


def unit(snippets):
    """One C++ source of all snippets: (place, given, code). Compilers speak of the lines of the page."""
    hoisted, parts = [f"#include {header}" for header in PRELUDE], []
    for number, (page, line, given, code) in enumerate(snippets):
        hoisted += re.findall(r"#include [<\"][^>\"]+[>\"]", given + code)
        given, code = (re.sub(r"#include [<\"][^>\"]+[>\"].*", "", text) for text in (given, code))
        place = f'#line {line} "{page}"\n'
        if not re.search(r"^int main\(", code, re.MULTILINE):
            if code.lstrip().startswith("."):
                code = f"static_cast<void>(tokenpool::ClientOptions{{\n{place}{code}}});\n"
            names = "using namespace tokenpool; using namespace std::chrono_literals;"
            parts.append(f"namespace snippet_{number} {{ {names}\n{given}\nvoid shown() {{\n{place}{code}}}\n}}")
        else:
            parts.append(f"namespace snippet_{number} {{\n{place}{code.rstrip()[:-1]}return 0; }}\n}}")
    return "\n".join([*dict.fromkeys(hoisted), *parts, ""])


def snippets_of(page):
    text = page.read_text()
    for found in BLOCK.finditer(text):
        yield page.relative_to(ROOT), text.count("\n", 0, found.start("code")) + 1, found["given"] or "", found["code"]


def compile_snippets(page_list, compiler):
    snippets = [snippet for page in page_list for snippet in snippets_of(page)]
    # What a fragment leaves out is for the reader to imagine: unused names are no fault of it.
    command = [*compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unused", f"-I{ROOT / 'include'}",
               "-x", "c++", "-"]
    result = subprocess.run(command, input=unit(snippets), text=True, check=False).returncode
    print(f"{len(snippets)} snippets")
    return ["a snippet does not compile"] if result or not snippets else []


def referenced(tag_file):
    """The names in a tag file, as docs/public_names.txt writes them."""
    names = set()
    for compound in xml.etree.ElementTree.parse(tag_file).getroot():
        scope = re.sub(r"^tokenpool(::)?|<.*", "", compound.findtext("name"))
        names.add(scope)
        for member in compound.iter("member"):
            path = "::".join(filter(None, (scope, member.findtext("name"))))
            names |= {path, *(f"{path}::{value.text}" for value in member.iter("enumvalue"))}
    return names


def check_reference(tag_file):
    lines = (ROOT / "docs" / "public_names.txt").read_text().splitlines()[2:]  # below the heading
    listed = [re.sub(r"\(\)$|  \w+$", "", line) for line in lines]
    known = referenced(tag_file)
    return [f"{name} is not in the reference" for name in listed if name not in known]


CHECKS = {"links": lambda _: check_links(pages()), "snippets": lambda words: compile_snippets(pages(), words),
          "reference": lambda words: check_reference(words[0])}


def main(arguments):
    complaints = CHECKS[arguments[0]](arguments[1:])
    print(*complaints, sep="\n")
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
