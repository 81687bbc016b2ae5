#include "tokenpool/http/json_scan.hpp"

#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "catch_compat.hpp"

using tokenpool::find_json;
using tokenpool::JsonKind;
using tokenpool::JsonScalar;
using tokenpool::scan_json;
using Json = nlohmann::ordered_json;

namespace {

struct Seen {
  std::string path;
  JsonKind kind;
  std::string text;
  friend bool operator==(const Seen&, const Seen&) = default;
};

std::vector<Seen> scanned(std::string_view text, bool* whole = nullptr) {
  std::vector<Seen> seen;
  const bool result = scan_json(text, [&](const JsonScalar& scalar) {
    seen.push_back(Seen{std::string(scalar.path), scalar.kind, std::string(scalar.text)});
  });
  if (whole != nullptr) *whole = result;
  return seen;
}

void flatten(const Json& value, const std::string& path, std::vector<Seen>& seen) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items())
      flatten(inner, path.empty() ? key : path + "." + key, seen);
  } else if (value.is_array()) {
    for (const auto& inner : value) flatten(inner, path, seen);
  } else if (value.is_string()) {
    seen.push_back(Seen{path, JsonKind::string, value.get<std::string>()});
  } else {
    const auto kind = value.is_number()    ? JsonKind::number
                      : value.is_boolean() ? JsonKind::boolean
                                           : JsonKind::null;
    seen.push_back(Seen{path, kind, value.dump()});
  }
}

/// What the oracle makes of a whole document.
std::vector<Seen> expected(const Json& document) {
  std::vector<Seen> seen;
  flatten(document, "", seen);
  return seen;
}

/// Draws documents; equal seeds draw equal documents with every standard library.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  Json document(int depth) {
    switch (draw(depth > 0 ? 8 : 6)) {
      case 0: return nullptr;
      case 1: return draw(2) == 0;
      case 2: return static_cast<int>(draw(20000)) - 10000;
      case 3: return static_cast<double>(draw(1000)) / 64.0 - 5;
      case 4:
      case 5: return text();
      case 6: return array(depth);
      default: return object(depth);
    }
  }

  std::string text() {
    static const std::vector<std::string> pieces{"a",  "Z",  " ",      "\"",     "\\",         "/",
                                                 "\n", "\t", "\x01",   "{",      "]",          ":",
                                                 ",",  "7",  "\u00e4", "\u4f60", "\U0001f600", "null"};
    std::string result;
    for (unsigned length = draw(6); length > 0; --length)
      result += pieces[draw(static_cast<unsigned>(pieces.size()))];
    return result;
  }

 private:
  unsigned draw(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

  Json array(int depth) {
    Json result = Json::array();
    for (unsigned length = draw(4); length > 0; --length) result.push_back(document(depth - 1));
    return result;
  }

  Json object(int depth) {
    Json result = Json::object();
    for (unsigned length = draw(4); length > 0; --length) result["k" + text()] = document(depth - 1);
    return result;
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("every scalar of a document is shown with its path in order") {
  const auto seen = scanned(R"( {"error": {"code":"x","n":-1.5e3}, "list": [true, {"a":null}], "s":""} )");
  CHECK(seen == std::vector<Seen>{{"error.code", JsonKind::string, "x"},
                                  {"error.n", JsonKind::number, "-1.5e3"},
                                  {"list", JsonKind::boolean, "true"},
                                  {"list.a", JsonKind::null, "null"},
                                  {"s", JsonKind::string, ""}});
}

TEST_CASE("generated documents are read as the oracle reads them") {
  for (unsigned seed = 1; seed <= 400; ++seed) {
    Generator generator{seed};
    const Json document = generator.document(5);
    const bool ascii = seed % 2 == 0;
    const std::string text = document.dump(seed % 3 == 0 ? 2 : -1, ' ', ascii);
    INFO(text);
    bool whole = false;
    CHECK(scanned(text, &whole) == expected(document));
    CHECK(whole);
  }
}

TEST_CASE("a document cut at any byte gives what was whole before the cut") {
  for (unsigned seed = 1; seed <= 120; ++seed) {
    Generator generator{seed};
    const std::string text = generator.document(4).dump(-1, ' ', seed % 2 == 0);
    const auto all = scanned(text);
    for (std::size_t length = 0; length < text.size(); ++length) {
      const std::string cut = text.substr(0, length);
      bool whole = true;
      const auto seen = scanned(cut, &whole);
      const bool is_prefix = seen.size() <= all.size() && std::equal(seen.begin(), seen.end(), all.begin());
      if (!is_prefix && !Json::accept(cut)) FAIL("cut at " << length << " of " << text);
      if (whole != Json::accept(cut)) FAIL("taken for whole: cut at " << length << " of " << text);
    }
  }
  SUCCEED("every cut was read");
}

TEST_CASE("what is valid JSON is agreed on with the oracle") {
  for (const auto* text : {"",
                           " ",
                           "null",
                           "nul",
                           "nulll",
                           "truefalse",
                           "0",
                           "-0",
                           "01",
                           "-",
                           "+1",
                           "1.",
                           ".5",
                           "1e",
                           "1e+",
                           "1E-2",
                           "0x1",
                           "\"a",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u12g4\"",
                           "\"\\u12G4\"",
                           "\"\\u12/4\"",
                           "\t[\r\n1\t]\r",
                           "\"\\u00e4\"",
                           "\"\\ud83d\\ude00\"",
                           "\"a\nb\"",
                           "[]",
                           "[",
                           "]",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\":1}x",
                           "[[]]",
                           "[{}]",
                           "{\"a\":[}",
                           "// c\n1",
                           "NaN",
                           "Infinity",
                           "<html>",
                           "\xEF\xBB\xBF{}"}) {
    INFO(text);
    bool whole = false;
    scanned(text, &whole);
    CHECK(whole == Json::accept(text));
  }
}

TEST_CASE("half a surrogate pair becomes the replacement character") {
  CHECK(find_json(R"({"a":"x\ud83dy"})", "a") == "x\xEF\xBF\xBDy");
  CHECK(find_json(R"({"a":"\ude00"})", "a") == "\xEF\xBF\xBD");
  CHECK(find_json(R"({"a":"\ud83d\u0041"})", "a") ==
        "\xEF\xBF\xBD"
        "A");
}

TEST_CASE("an escape may be written in small and in capital letters") {
  CHECK(find_json(R"({"a":"\u00E4\u00e4\uFFe0"})", "a") == "\u00e4\u00e4\uffe0");
  CHECK(find_json(R"({"a":"\uD83D\uDE00"})", "a") == "\U0001f600");
  CHECK(find_json(R"({"a":"\uD83D\uFFE0"})", "a") == "\uFFFD\uFFE0");
}

TEST_CASE("nesting beyond the bound ends the reading and keeps what came before") {
  const auto nested = [](std::size_t depth) {
    return "{\"a\":1,\"b\":" + std::string(depth, '[') + "2" + std::string(depth, ']') + "}";
  };
  bool whole = false;
  CHECK(scanned(nested(tokenpool::json_scan_depth - 1), &whole).size() == 2);
  CHECK(whole);
  CHECK(scanned(nested(tokenpool::json_scan_depth), &whole).size() == 1);
  CHECK_FALSE(whole);
  CHECK(scanned(nested(100000), &whole).size() == 1);
  std::string objects;
  for (std::size_t i = 0; i < tokenpool::json_scan_depth + 1; ++i) objects += "{\"a\":";
  CHECK(scanned(objects + "1" + std::string(tokenpool::json_scan_depth + 1, '}'), &whole).empty());
  CHECK_FALSE(whole);
}

TEST_CASE("no more than the bound is read of a huge body") {
  const std::string body = "{\"first\":1,\"fill\":\"" + std::string(8'000'000, 'x') + "\",\"last\":2}";
  bool whole = true;
  CHECK(scanned(body, &whole) == std::vector<Seen>{{"first", JsonKind::number, "1"}});
  CHECK_FALSE(whole);
}

TEST_CASE("a number that ends where the bound cuts is not shown") {
  const std::string body = std::string(tokenpool::json_scan_bytes - 2, ' ') + "1234";
  CHECK(scanned(body).empty());
}

TEST_CASE("a visitor that returns false sees no more") {
  int seen = 0;
  CHECK_FALSE(scan_json("[1,2,3]", [&](const JsonScalar&) { return ++seen < 2; }));
  CHECK(seen == 2);
}

TEST_CASE("find_json takes the first scalar at the path that is not null") {
  CHECK(find_json(R"({"e":{"code":null},"x":1,"e":{"code":"c"}})", "e.code") == "c");
  CHECK_FALSE(find_json(R"({"e":{"code":null}})", "e.code"));
  CHECK_FALSE(find_json("<html>", "e.code"));
}
