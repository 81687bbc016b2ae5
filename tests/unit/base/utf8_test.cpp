#include "tokenpool/base/utf8.hpp"

#include "catch_compat.hpp"

using namespace tokenpool;

TEST_CASE("each byte that is not UTF-8 becomes a question mark") {
  CHECK(detail::as_utf8("caf\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80") ==
        "caf\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80");
  // Latin-1, cut short, longer than need be, half a pair, beyond the last.
  CHECK(detail::as_utf8("caf\xE9!") == "caf?!");
  CHECK(detail::as_utf8("\xE4\xB8") == "??");
  CHECK(detail::as_utf8("\xC0\xAF\xE0\x80\xAF\xF0\x80\x80\xAF") == "?????????");
  CHECK(detail::as_utf8("\xED\xA0\x80\xF4\x90\x80\x80") == "???????");
}
