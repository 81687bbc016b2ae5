"""Charts as SVG: bars for shares, lines for growth. Plain text, no dependencies, for light and dark pages alike."""

import html
import math

WIDTH, LEFT, RIGHT, ROW = 720, 236, 84, 22
STYLE = """<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f } .head { font-size: 15px; font-weight: 600 }
  .soft { fill: #57606a } .grid { stroke: #d0d7de } .plain { fill: #8c959f } .ours { fill: #0969da }
  .line { fill: none; stroke-width: 2 } .c0 { stroke: #0969da } .c1 { stroke: #bc4c00 } .c2 { stroke: #1a7f37 }
  .c3 { stroke: #8250df }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .soft { fill: #9198a1 } .grid { stroke: #3d444d } .plain { fill: #6e7681 }
    .ours { fill: #4493f8 } .c0 { stroke: #4493f8 } .c1 { stroke: #f0883e } .c2 { stroke: #3fb950 } .c3 { stroke: #ab7df8 }
  }
</style>"""


def _text(x: float, y: float, words: str, classes: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{classes}" text-anchor="{anchor}">{html.escape(words)}</text>'


def _page(title: str, height: float, body: list) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
    return "\n".join([head, f"<title>{html.escape(title)}</title>", STYLE, _text(8, 22, title, "head"), *body, "</svg>", ""])


def bars(title: str, groups: list, shown) -> str:
    """`groups`: (heading, [(label, value, ours)]); `shown(value)` is what stands at a bar's end. All bars have one
    scale, from nothing to the most."""
    most = max(value for _, rows in groups for _, value, _ in rows) or 1
    y, body = 38, []
    for heading, rows in groups:
        if heading:
            body.append(_text(8, y + 16, heading, "soft"))
            y += 26
        for label, value, ours in rows:
            width = max(1.0, (WIDTH - LEFT - RIGHT) * value / most)
            body.append(_text(LEFT - 8, y + 14, label, anchor="end"))
            body.append(f'<rect x="{LEFT}" y="{y + 3}" width="{width:.1f}" height="{ROW - 7}" rx="2" '
                        f'class="{"ours" if ours else "plain"}"/>')
            body.append(_text(LEFT + width + 6, y + 14, shown(value), "soft"))
            y += ROW
        y += 8
    return _page(title, y + 4, body)


def _steps(least: float, most: float) -> list:
    """Powers of ten that hold all values between them."""
    return [10.0 ** power for power in range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)]


def lines(title: str, across: str, lines_: dict, shown=lambda value: f"{value:,.0f}") -> str:
    """`lines_`: name to [(x, y)], at most four. Both axes are logarithmic; the lower one names the places measured."""
    points = [point for line in lines_.values() for point in line]
    xs, ys = sorted({x for x, _ in points}), _steps(min(y for _, y in points), max(y for _, y in points))
    top, bottom, left, right = 44, 300, 84, WIDTH - 190

    def place(value: float, steps: list, begin: float, end: float) -> float:
        whole = math.log10(steps[-1] / steps[0]) or 1
        return begin + (end - begin) * math.log10(value / steps[0]) / whole

    body = []
    for step in ys:
        y = place(step, ys, bottom, top)
        body += [f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>',
                 _text(left - 8, y + 4, shown(step), "soft", "end")]
    for step in xs:
        body.append(_text(place(step, xs, left, right), bottom + 20, f"{step:,.0f}", "soft", "middle"))
    body.append(_text((left + right) / 2, bottom + 42, across, "soft", "middle"))
    free = 0.0  # the next label's least place: names of lines that end together would lie on each other
    for number, (name, line) in sorted(enumerate(lines_.items()), key=lambda one: -one[1][1][-1][1]):
        path = " ".join(f"{place(x, xs, left, right):.1f},{place(y, ys, bottom, top):.1f}" for x, y in line)
        body.append(f'<polyline points="{path}" class="line c{number}"/>')
        end_x, end_y = place(line[-1][0], xs, left, right), place(line[-1][1], ys, bottom, top)
        free = max(end_y, free + 18)
        body += [f'<line x1="{end_x + 8:.1f}" x2="{end_x + 22:.1f}" y1="{free:.1f}" y2="{free:.1f}" class="line c{number}"/>',
                 _text(end_x + 28, free + 4, name)]
    return _page(title, bottom + 54, body)

