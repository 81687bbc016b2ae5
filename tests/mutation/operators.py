"""The faults that are seeded: one operator, constant, condition or statement of a header at a time.

clang-format puts blanks around binary operators and none inside of template brackets, so text is enough to tell the two
apart. What does not compile is no mutant.
"""

import re
from typing import Iterator, NamedTuple


class Mutant(NamedTuple):
    header: str  # below include/
    line: int  # from 1
    column: int
    kind: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.header}:{self.line}: {self.kind}: {self.before.strip()}  ->  {self.after.strip()}"


# Kind, what is looked for, what it becomes.
REPLACED = [
    ("comparison", r" (<) ", "<="),
    ("comparison", r" (<=) ", "<"),
    ("comparison", r" (>) ", ">="),
    ("comparison", r" (>=) ", ">"),
    ("comparison", r" (==) ", "!="),
    ("comparison", r" (!=) ", "=="),
    ("logic", r" (&&) (?!\w+\) (?:noexcept|const|=))", "||"),
    ("logic", r" (\|\|) ", "&&"),
    ("negation", r"(?<![\w)])(!)(?=[\w(])", ""),
    ("arithmetic", r" (\+) ", "-"),
    ("arithmetic", r" (-) ", "+"),
    ("arithmetic", r" (\*) ", "/"),
    ("arithmetic", r" (/) ", "*"),
    ("arithmetic", r" (%) ", "*"),
    ("assignment", r" (\+=) ", "-="),
    ("assignment", r" (-=) ", "+="),
    ("step", r"(\+\+)(?=\w)", "--"),
    ("step", r"(--)(?=\w)", "++"),
    ("constant", r"\b(true)\b", "false"),
    ("constant", r"\b(false)\b", "true"),
    ("extreme", r"\(std::(max)\)", "min"),
    ("extreme", r"\(std::(min)\)", "max"),
]
NUMBER = re.compile(r"(?<![\w.'])(\d[\d']*)(?![\w.'])")
CONDITION = re.compile(r"\bif \((?!constexpr)")
# A call or an assignment that stands alone.
STATEMENT = re.compile(r"^\s+(?:\+\+|--)?[a-z_][\w.>()\[\]*-]*(?:\(.*\)| (?:[-+*|&]?=) .*);$")
NOT_CODE = re.compile(r"^\s*(#|template|using|friend|static_assert|namespace|return;|case |///|\[\[)")


def without_words(text: str) -> str:
    """Comments, texts and characters blanked, so that columns stay."""
    blank = lambda match: re.sub(r"[^\n]", " ", match[0])
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', blank, text, flags=re.S)


def closing(text: str, opened: int) -> int:
    """The place of the bracket that closes the one at `opened`, in this line; -1 where it is another's."""
    depth = 0
    for at in range(opened, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return -1


def mutants_of(header: str, text: str) -> Iterator[Mutant]:
    for number, (line, code) in enumerate(zip(text.split("\n"), without_words(text).split("\n")), 1):
        if NOT_CODE.match(code):
            continue
        put = lambda begin, end, new: line[:begin] + new + line[end:]
        for kind, pattern, new in REPLACED:
            for found in re.finditer(pattern, code):
                yield Mutant(header, number, found.start(1), kind, line, put(*found.span(1), new))
        for found in NUMBER.finditer(code):
            value = int(found[1].replace("'", ""))
            yield Mutant(header, number, found.start(1), "constant", line, put(*found.span(1), str(value + 1)))
        for found in CONDITION.finditer(code):
            end = closing(code, found.end() - 1)
            if end > 0:
                yield Mutant(header, number, found.start(), "condition", line, put(found.end(), end, "false"))
        if STATEMENT.match(code) and not code.strip().startswith(("return", "throw", "co_", "delete")):
            indent = len(line) - len(line.lstrip())
            yield Mutant(header, number, indent, "statement", line, line[:indent] + "(void)0;")
