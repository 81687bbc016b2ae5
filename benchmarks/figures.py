"""Where measurements are kept until the report is written: build/figures/NAME.json."""

import datetime
import json
import os
import pathlib
import statistics

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "build" / "figures"


def keep(name: str, **figures) -> None:
    """`figures`, with the day and what else the machine had to do."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    figures |= {"day": datetime.date.today().isoformat(), "load": round(os.getloadavg()[0], 1)}
    (FOLDER / f"{name}.json").write_text(json.dumps(figures, indent=1))


def kept(name: str) -> dict:
    """What was kept under that name; empty if nothing was."""
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def rounded(value: float, digits: int = 3) -> str:
    """With three digits that count, so that no table promises more than the measurement holds."""
    if value == 0:
        return "0"
    size = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return f"{round(value, digits - size):,.{max(0, min(2 if abs(value) >= 0.1 else digits, digits - size))}f}"


def spread(values: list) -> str:
    """Median (least to most)."""
    return f"{rounded(statistics.median(values))} ({rounded(min(values))} to {rounded(max(values))})"


def over(values: list, base: list) -> list:
    """Each round by itself."""
    return [value / one for value, one in zip(values, base)]
