#!/usr/bin/env python3
"""Runs the planner from outside: its advice, its chart, its errors. Usage: plan_test.py PATH_OF_PLAN"""

import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PLAN = sys.argv.pop()


def plan(*words):
    return subprocess.run([PLAN, *words], capture_output=True, text=True, timeout=60, check=False)


class Plan(unittest.TestCase):
    def test_it_says_how_many_tokens_are_enough(self):
        # 5000 calls in a day, 100 a day for each token: fifty, and one or two more or less as chance has it.
        run = plan("--per-token", "100/24h", "--rate", "5000/24h", "--tokens", "10", "--policy", "round-robin")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stdout, r"\n(4[89]|5[0-2]) tokens answer 99 % of these calls \(round-robin\)\.\n")
        self.assertRegex(run.stdout, r"\nround-robin +\d+ +1000 .* 0 +0\.0 s")

    def test_it_says_when_tokens_do_not_help(self):
        run = plan("--per-egress", "100/24h", "--rate", "500/24h", "--policy", "random")
        self.assertIn("Not even 1000 tokens", run.stdout)

    def test_known_limits_meet_no_429_and_unknown_ones_do(self):
        column = {}
        for limits in ("known", "unknown"):
            run = plan("--per-token", "60/1h", "--rate", "200/1h", "--tokens", "2", "--policy", "least-used", "--limits", limits)
            line = next(line for line in run.stdout.splitlines() if line.startswith("least-used"))
            column[limits] = int(line.split()[6])
        self.assertEqual(column["known"], 0)
        self.assertGreater(column["unknown"], 0)

    def test_the_same_seed_gives_the_same_day(self):
        words = ("--per-token", "60/1h", "--rate", "200/1h", "--policy", "random", "--seed", "7")
        self.assertEqual(plan(*words).stdout, plan(*words).stdout)

    def test_the_chart_is_a_picture_with_a_line_for_each_policy(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "day.svg"
            run = plan("--per-token", "60/1h", "--rate", "200/1h", "--policy", "random,sticky", "--svg", str(file))
            self.assertEqual(run.returncode, 0, run.stderr)
            picture = xml.etree.ElementTree.parse(file).getroot()
        namespace = "{http://www.w3.org/2000/svg}"
        self.assertEqual(len(list(picture.iter(namespace + "polyline"))), 2 * 3)
        texts = {text.text for text in picture.iter(namespace + "text")}
        self.assertLessEqual({"random", "sticky", "Answers", "429s", "time (hours)", "per hour", "seconds"}, texts)

    def test_a_mistake_is_one_sentence_and_exit_code_2(self):
        limit = ("--per-token", "100/24h")
        rate = ("--rate", "600/24h")
        mistakes = [
            (*limit,),
            (*rate,),
            ("--per-token", "100", *rate),
            ("--per-token", "0/24h", *rate),
            ("--per-token", "100/0s", *rate),
            (*limit, "--rate", "1000000/1s"),
            (*limit, *rate, "--policy", "fastest"),
            (*limit, *rate, "--policy", ""),
            (*limit, *rate, "--tokens", "0"),
            (*limit, *rate, "--window-kind", "weekly"),
            (*limit, *rate, "--svg", "/no/such/folder/day.svg"),
        ]
        for words in mistakes:
            with self.subTest(words=words):
                run = plan(*words)
                self.assertEqual(run.returncode, 2)
                self.assertRegex(run.stderr, r"^plan: [^\n]+\n$")


if __name__ == "__main__":
    unittest.main()
