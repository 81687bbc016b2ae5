#!/usr/bin/env python3
"""Draws what a program printed as an SVG: examples/run 2>&1 | docs/images/terminal.py '$ examples/run' >docs/images/demo.svg"""

import html
import re
import sys

WIDTH, LINE, MARGIN = 8.4, 20, 16
COLOURS = ((r"\bavailable\b|\b[1-9]\d*/[1-9]\d* +(?=\d+/s)|\[#+\]", "#7ee787"), (r"resting.*", "#e3b341"), (r"ejected.*", "#ff7b72"),
           (r"^\$.*|^token +.*|^egress$", "#79c0ff"))


def coloured(line):
    """The line as SVG text: the first rule that fits colours its part."""
    for rule, colour in COLOURS:
        if found := re.search(rule, line):
            before, part, after = (html.escape(text) for text in (line[:found.start()], found[0], line[found.end():]))
            return f'{before}<tspan fill="{colour}">{part}</tspan>{after}'
    return html.escape(line)


def picture(lines):
    width = max(map(len, lines)) * WIDTH + 2 * MARGIN
    height = len(lines) * LINE + 2 * MARGIN
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}" role="img">')
    yield f"<title>{html.escape(lines[0])}</title>"
    yield '<rect width="100%" height="100%" rx="8" fill="#0d1117"/>'
    yield ('<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#c9d1d9" '
           'xml:space="preserve">')
    for number, line in enumerate(lines, 1):
        if line:
            yield f'<text x="{MARGIN}" y="{MARGIN + number * LINE - 6}" textLength="{len(line) * WIDTH:.1f}">{coloured(line)}</text>'
    yield "</g></svg>"


if __name__ == "__main__":
    sys.stdout.write("\n".join(picture([*sys.argv[1:], *(line.rstrip() for line in sys.stdin)])) + "\n")
