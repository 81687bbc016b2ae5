#!/usr/bin/env python3
"""Compares the public names in the headers with the list in docs/public_names.txt: a change of the interface shows up in
the change that makes it.

Usage: public_names.py [--renew] [CLANG]. Ends with 1 if they differ; --renew writes the list instead. Public is what
namespace tokenpool holds outside its namespace detail: types with their public members, enumerators, functions,
variables and concepts. The names are read from clang's dump of what it understood.
"""

import difflib
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = ROOT / "docs" / "public_names.txt"
HEADING = "The public names of namespace tokenpool; tests/public_names/public_names.py --renew writes this list.\n\n"

# A line of the dump: its depth, the kind of node, and, after addresses and places, its flags and its name.
NODE = re.compile(
    r"(?P<indent>[ |`-]*)(?P<kind>\w+) 0x\w+ (?P<elsewhere>parent 0x\w+ )?(?:prev 0x\w+ )?<[^>]*>+ "
    r"(?:<[^>]*>(?::\d+:\d+)? |\S+:\d+(?::\d+)? )?(?P<rest>.*)")
NAME = re.compile(r"(operator\b[^']*?|\w+)\s*(?:'.*|definition)?$")
LABELS = {
    "CXXRecordDecl": "  type", "ClassTemplateDecl": "  type", "TypeAliasDecl": "  type", "TypeAliasTemplateDecl": "  type",
    "EnumDecl": "  enumeration", "ConceptDecl": "  concept", "FunctionDecl": "()", "FunctionTemplateDecl": "()",
    "CXXMethodDecl": "()", "CXXConversionDecl": "()", "VarDecl": "", "VarTemplateDecl": "", "FieldDecl": "",
    "EnumConstantDecl": "",
}
HOLDERS = {"NamespaceDecl", "CXXRecordDecl", "ClassTemplateDecl", "EnumDecl"}


class Scope:
    """A node above the present one. `listed`: its name is public, and it holds names; `public`: those that come next are."""

    def __init__(self, depth, path, listed, public):
        self.depth, self.path, self.listed, self.public = depth, path, listed, listed and public


def public_names(dump):
    """Yields each public name in the lines of a dump, with its label."""
    scopes = []
    for line in dump:
        node = NODE.match(line)
        if not node:
            if line.startswith("Dumping "):
                scopes = [Scope(-1, (), True, True)]
            continue
        depth, kind, rest = len(node["indent"]), node["kind"], node["rest"]
        while scopes[-1].depth >= depth:
            scopes.pop()
        above = scopes[-1]
        if kind == "AccessSpecDecl":
            above.public = above.listed and rest.startswith("public")
            continue
        name = NAME.search(rest)
        name = name[1] if name else ""
        path = above.path
        inner = re.match(r"(?:\w+ )*?implicit\b", rest) or (kind == "NamespaceDecl" and name == "detail")
        constructor = kind == "FunctionTemplateDecl" and path[-1:] == (name,)
        defined_here = node["elsewhere"] and kind == "CXXMethodDecl"  # a member that its class has already
        listed = (above.public and kind in LABELS.keys() | HOLDERS and not (inner or constructor or defined_here)
                  and name not in ("", "operator="))
        if name != "tokenpool" and path[-1:] != (name,):  # a template holds a record of its own name
            path += (name,)
        if listed and path and kind != "NamespaceDecl":
            yield "::".join(path), LABELS[kind]
        private_first = kind == "CXXRecordDecl" and re.search(r"\bclass \w+", rest)
        scopes.append(Scope(depth, path, listed and kind in HOLDERS, not private_first))


def names_in(source, clang):
    """The public names in a C++ source, labelled and sorted."""
    command = [clang, "-std=c++20", "-fsyntax-only", f"-I{ROOT / 'include'}", "-fno-color-diagnostics",
               "-Xclang", "-ast-dump", "-Xclang", "-ast-dump-filter=tokenpool", "-x", "c++", "-"]
    process = subprocess.run(command, input=source, stdout=subprocess.PIPE, check=True, text=True)
    return sorted({name + label for name, label in public_names(process.stdout.splitlines())})


def all_headers():
    headers = sorted(path.relative_to(ROOT / "include") for path in (ROOT / "include").rglob("*.hpp"))
    return "".join(f'#include "{header}"\n' for header in headers)


def main(arguments):
    renew = "--renew" in arguments
    clang = next((word for word in arguments if word != "--renew"), "clang++")
    names = HEADING + "".join(name + "\n" for name in names_in(all_headers(), clang))
    if renew:
        LIST.write_text(names)
        return 0
    listed = LIST.read_text()
    if names != listed:
        sys.stdout.writelines(difflib.unified_diff(
            listed.splitlines(True), names.splitlines(True), "docs/public_names.txt", "the headers", n=0))
        print("The public names have changed. If that is meant: tests/public_names/public_names.py --renew")
    return int(names != listed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
