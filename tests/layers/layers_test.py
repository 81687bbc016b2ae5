"""The check must be able to fail: each trespass is committed in a small tree and has to be named."""

import pathlib
import tempfile
import unittest

import layers


def trespasses_of(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, "tokenpool", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return list(layers.trespasses(folder))


def include(header):
    return f'#pragma once\n#include "tokenpool/{header}"\n'


class Layers(unittest.TestCase):
    def refused(self, name, text, word):
        found = trespasses_of({name: text})
        self.assertEqual(len(found), 1, f"{name}: {text!r} gave {found}")
        self.assertIn(word, found[0])
        self.assertTrue(found[0].startswith(name))

    def accepted(self, name, text):
        self.assertEqual(trespasses_of({name: text}), [])

    def test_every_room_may_include_itself_and_what_lies_below(self):
        rooms = ["base", "http", "quota", "pool", "retry"]
        for position, room in enumerate(rooms):
            for lower in rooms[: position + 1]:
                self.accepted(f"{room}/a.hpp", include(f"{lower}/b.hpp"))

    def test_no_room_includes_one_above_it(self):
        rooms = ["base", "http", "quota", "pool", "retry", "transport", "client"]
        for position, room in enumerate(rooms):
            for upper in rooms[position + 1 :]:
                self.refused(f"{room}/a.hpp", include(f"{upper}/b.hpp"), f"{room} may not include {upper}/b.hpp")

    def test_an_angled_include_counts_too(self):
        self.refused("base/a.hpp", "#include <tokenpool/pool/b.hpp>\n", "base may not include pool/b.hpp")

    def test_a_policy_sees_only_candidates_and_its_concept(self):
        self.accepted("policy/a.hpp", include("pool/candidates.hpp") + include("pool/selection_policy.hpp"))
        self.accepted("policy/a.hpp", include("base/random.hpp") + include("policy/b.hpp"))
        for header in ["pool/pool.hpp", "quota/limit.hpp", "http/headers.hpp", "retry/backoff.hpp"]:
            self.refused("policy/a.hpp", include(header), "policy may not include")

    def test_the_transport_knows_no_pool_and_no_retry(self):
        self.accepted("transport/curl/a.hpp", include("http/headers.hpp") + include("quota/verdict.hpp"))
        for header in ["pool/pool.hpp", "policy/random.hpp", "retry/attempts.hpp", "quota/window.hpp", "core.hpp"]:
            self.refused("transport/curl/a.hpp", include(header), "transport may not include")

    def test_side_doors_are_unknown_inside_the_house(self):
        for header in ["json/json.hpp", "ledger/redis.hpp", "testing/clock.hpp", "prometheus.hpp", "openai.hpp"]:
            for name in ["base/a.hpp", "client/a.hpp", "client.hpp", "core.hpp"]:
                self.refused(name, include(header), "may not include")
        self.accepted("tokenpool.hpp", include("client.hpp") + include("json/json.hpp"))
        self.refused("tokenpool.hpp", include("ledger/redis.hpp"), "may not include")

    def test_only_json_includes_the_json_library(self):
        self.accepted("json/a.hpp", "#include <nlohmann/json.hpp>\n")
        for name in ["base/a.hpp", "retry/a.hpp", "transport/a.hpp", "client/a.hpp", "client.hpp", "tokenpool.hpp"]:
            self.refused(name, "#include <nlohmann/json.hpp>\n", "may not include <nlohmann/json.hpp>")

    def test_the_client_may_name_json_without_including_it(self):
        for name in ["client/a.hpp", "client.hpp"]:
            self.accepted(name, "#include <nlohmann/json_fwd.hpp>\n")
        self.refused("http/a.hpp", "#include <nlohmann/json_fwd.hpp>\n", "may not include")

    def test_only_the_transport_includes_libcurl(self):
        self.accepted("transport/curl/a.hpp", "#include <curl/curl.h>\n")
        for name in ["base/a.hpp", "client/a.hpp", "json/a.hpp"]:
            self.refused(name, "#include <curl/curl.h>\n", "may not include <curl/curl.h>")

    def test_below_transport_no_header_of_the_world_outside(self):
        for header in ["thread", "future", "condition_variable", "fstream", "filesystem", "sys/socket.h"]:
            self.refused("pool/a.hpp", f"#include <{header}>\n", "touches the world outside")
            self.accepted("transport/a.hpp", f"#include <{header}>\n")

    def test_below_transport_nobody_reads_a_clock(self):
        for text in ["steady_clock::now()", "clock.now( )", "clock_->now()", "std::time(nullptr)", "clock_gettime(a, b)"]:
            self.refused("quota/a.hpp", f"auto t = {text};\n", "reads a clock")
            self.accepted("client/a.hpp", f"auto t = {text};\n")

    def test_below_transport_nobody_sleeps(self):
        for text in ["std::this_thread::sleep_for(d)", "::sleep(1)", "usleep(5)"]:
            self.refused("retry/a.hpp", f"{text};\n", "sleeps")
        self.accepted("pool/a.hpp", "SteadyTime sleep_until(const Waiter&);\n")

    def test_below_transport_nobody_starts_a_thread(self):
        for text in ["std::thread t{f}", "std::jthread t{f}", "std::async(f)"]:
            self.refused("pool/a.hpp", f"{text};\n", "starts a thread")

    def test_below_transport_nobody_opens_a_file(self):
        for text in ["std::ifstream in{name}", "std::fopen(name, mode)", "std::filesystem::path p"]:
            self.refused("base/a.hpp", f"{text};\n", "opens a file")

    def test_below_transport_nobody_prints(self):
        for text in ["std::cerr << a", "std::printf(a)", "std::fputs(a, b)", "std::puts(a)"]:
            self.refused("pool/a.hpp", f"{text};\n", "prints")
        self.accepted("http/a.hpp", "#include <cstdio>\nstd::snprintf(a, b, c);\n")

    def test_a_room_without_a_row_is_refused(self):
        self.refused("helpers/a.hpp", "#pragma once\n", "no room of this house")
        self.refused("utils.hpp", "#pragma once\n", "no room of this house")

    def test_includes_are_written_in_full(self):
        self.refused("base/a.hpp", '#include "secret.hpp"\n', "not written as")

    def test_comments_and_literals_are_not_code(self):
        for text in [
            "// #include <thread>, std::thread and clock::now()\n",
            "/* sleep_for(1s)\n   fopen */\n",
            'auto a = "std::thread"; auto b = "it\\"s clock::now()";\n',
            'auto a = R"(std::ifstream)";\n',
            "int million = 1'000'000;  // it's now()\n",
        ]:
            self.accepted("base/a.hpp", text)

    def test_what_follows_a_literal_is_code(self):
        self.refused("base/a.hpp", "char c = '\"'; auto t = clock::now(); char d = '\"';\n", "reads a clock")
        self.refused("base/a.hpp", "int a = 1'000; auto t = clock::now(); int b = 2'000;\n", "reads a clock")

    def test_the_line_is_named(self):
        self.assertTrue(trespasses_of({"base/a.hpp": "\n/*\n*/\nauto t = c::now();\n"})[0].startswith("base/a.hpp:4:"))

    def test_an_empty_tree_has_no_trespass(self):
        self.assertEqual(trespasses_of({}), [])


if __name__ == "__main__":
    unittest.main()
