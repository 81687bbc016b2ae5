#!/usr/bin/env python3
"""What including an entry header may cost. Seconds are printed beside those of the headers that a program by hand would
include, in the same run; only what does not depend on the machine's load is held to a bound.

Usage: CXX=COMPILER entry_headers_test.py
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks"))
from entry_headers import BASELINE, ENTRY_HEADERS, compile_with, cpu_seconds, write_sources


class EntryHeaders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.sources = write_sources(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def dependencies(self, header: str) -> str:
        return compile_with(["-M"], self.sources[header])

    def test_a_unit_that_only_includes_has_no_code(self):
        seconds, sizes = {}, {}
        for name, source in self.sources.items():
            seconds[name] = cpu_seconds(source, ["-O2", "-c"])
            sizes[name] = source.with_suffix(".o").stat().st_size
            print(f"{name:32} {seconds[name]:5.2f} CPU s, {seconds[name] / seconds[BASELINE]:4.2f} of the baseline's; "
                  f"object {sizes[name]:5} bytes, {sizes[name] / sizes[BASELINE]:4.2f}", flush=True)
        for name in ENTRY_HEADERS:
            with self.subTest(name):
                self.assertLessEqual(sizes[name], sizes[BASELINE])
                symbols = subprocess.run(["nm", "--defined-only", "--format=just-symbols",
                                          self.sources[name].with_suffix(".o")],
                                         check=True, stdout=subprocess.PIPE, text=True).stdout.split()
                self.assertEqual(symbols, ["main"])

    def test_the_client_comes_without_the_json_library(self):
        self.assertIn("curl/curl.h", self.dependencies("tokenpool/client.hpp"))
        self.assertNotIn("nlohmann/json.hpp", self.dependencies("tokenpool/client.hpp"))
        self.assertIn("nlohmann/json.hpp", self.dependencies("tokenpool/tokenpool.hpp"))

    def test_the_core_comes_without_any_library(self):
        needed = self.dependencies("tokenpool/core.hpp")
        for library in ["curl/", "nlohmann/"]:
            self.assertNotIn(library, needed)


if __name__ == "__main__":
    unittest.main()
