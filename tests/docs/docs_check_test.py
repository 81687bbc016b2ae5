"""Each kind of fault in a page is found, and what is right is let pass."""

import os
import pathlib
import tempfile
import unittest

import docs_check


class Links(unittest.TestCase):
    def complaints(self, text, check):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "page.md"
            page.write_text(text)
            (page.parent / "x_test.cpp").write_text('TEST_CASE("a long "\n          "name") {}\nTEST_CASE(\n "short") {}')
            return list(check(page, text))

    def test_a_link_leads_to_a_file_and_to_a_heading_in_it(self):
        text = "# What's up?\n[a](x_test.cpp) [b](#whats-up) [c](https://example.com/) [d](none.md) [e](page.md#down)"
        self.assertEqual(self.complaints(text, docs_check.broken_links), ["there is no none.md", "page.md has no heading #down"])

    def test_a_test_that_is_named_exists(self):
        text = '[x](x_test.cpp): "a long\nname", "short", "nothing"'
        self.assertEqual(self.complaints(text, docs_check.unknown_tests), ['x_test.cpp has no test "nothing"'])


class Snippets(unittest.TestCase):
    def compiles(self, text):
        with tempfile.TemporaryDirectory(dir=docs_check.ROOT / "docs") as folder:
            page = pathlib.Path(folder) / "page.md"
            page.write_text(text)
            docs_check.PRELUDE, prelude = ("<chrono>", "<tokenpool/version.hpp>"), docs_check.PRELUDE
            try:
                return not docs_check.compile_snippets([page], [os.environ.get("CXX", "c++")])
            finally:
                docs_check.PRELUDE = prelude

    def test_a_program_and_a_fragment_with_what_it_was_given_compile(self):
        self.assertTrue(self.compiles("<!-- given: extern int x; -->\n```cpp\nx = 3;\n```\n\n```cpp\n#include <vector>\nint main() { std::vector<int>(3); }\n```\n"))

    def test_a_fragment_that_is_wrong_does_not_compile(self):
        self.assertFalse(self.compiles("```cpp\nint x = nobody();\n```\n"))

    def test_no_snippet_at_all_is_a_fault(self):
        self.assertFalse(self.compiles("Nothing.\n"))


if __name__ == "__main__":
    unittest.main()
