#include "tokenpool/http/message.hpp"

#include "catch_compat.hpp"

using namespace tokenpool;

TEST_CASE("a request made of options has all that they say") {
  const CancelSource source;
  const Request request = make_request("PUT", "/x", "text",
                                       {.query = {{"a", "b"}},
                                        .headers = {{"X-Tag", "1"}},
                                        .bucket = "gpt",
                                        .cost = 7,
                                        .affinity = "chat",
                                        .deadline = std::chrono::milliseconds(5),
                                        .cancel = source.token(),
                                        .idempotency_key = "key",
                                        .max_response_bytes = 9});
  source.cancel();
  CHECK(request.method == "PUT");
  CHECK(request.path == "/x");
  CHECK(request.body.text() == "text");
  CHECK(request.query == Query{{"a", "b"}});
  CHECK(request.headers.get("x-tag") == "1");
  CHECK(request.bucket == "gpt");
  CHECK(request.cost == 7);
  CHECK(request.affinity == "chat");
  CHECK(request.deadline == std::chrono::milliseconds(5));
  CHECK(request.cancel.cancelled());
  CHECK(request.idempotency_key == "key");
  CHECK(request.max_response_bytes == 9);
}
