// The gateway's parts by themselves, as far as sockets do not show them: configurations and what is said of
// unfit ones, what becomes of an Error, what is read out of a body.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "chronicle.hpp"
#include "configuration.hpp"
#include "forwarding.hpp"
#include "live.hpp"
#include "refusal.hpp"
#include "request_reader.hpp"
#include "support/quota_server.hpp"
#include "support/running_gateway.hpp"
#include "tokenpool/quota/attempt.hpp"

using namespace std::chrono_literals;
using namespace gateway;
using nlohmann::json;
using test::canary;
using test::ContainsSubstring;
using tokenpool::Error;
using tokenpool::ErrorCode;

namespace {

/// A configuration file with the least that one has to say, and `more`.
class File {
 public:
  explicit File(const json& more = json::object()) {
    json settings{{"base_url", "http://127.0.0.1:1/v1"}, {"tokens", {"sk-" + canary}}};
    settings.update(more);
    write(settings.dump());
  }
  void write(const std::string& text) const { std::ofstream(file_.path()) << text; }
  [[nodiscard]] Configuration read() const { return read_configuration(file_.path()); }
  [[nodiscard]] const std::string& path() const { return file_.path(); }

 private:
  test::TemporaryFile file_;
};

std::string complaint(const json& more) {
  try {
    static_cast<void>(File(more).read());
  } catch (const std::exception& error) {
    CHECK_THAT(error.what(), !ContainsSubstring(canary));
    return error.what();
  }
  return "none";
}

/// How the gateway's program ends with these words.
int exit_code(const std::vector<std::string>& words) {
  std::vector<std::string> command{"/bin/sh", "-c", "exec \"$0\" \"$@\" 2>/dev/null", TOKENPOOL_GATEWAY_PATH};
  command.insert(command.end(), words.begin(), words.end());
  return support::ChildProcess(command).wait();
}

}  // namespace

TEST_CASE("a whole configuration is read") {
  ::setenv("GATEWAY_TEST_ACCESS", "word-a,word-b", 1);
  ::setenv("GATEWAY_TEST_HOOK", "https://hook.example/x", 1);
  const Configuration read =
      File({{"listen", "::1"},
            {"port", 8080},
            {"access_tokens", {{"env", "GATEWAY_TEST_ACCESS"}}},
            {"auth", {{"header", "x-key"}}},
            {"policy", "sticky"},
            {"tokens", {{{"secret", "s"}, {"id", "i"}, {"account", "a"}, {"weight", 2.5}, {"priority", 3}}}},
            {"limits",
             {{{"amount", 150}, {"window", "24h"}, {"per", {"token", "bucket"}}, {"counted", "on_arrival"}},
              {{"amount", 4}, {"unit", "in_flight"}}}},
            {"egress", {{{"source", "127.0.0.2"}}}},
            {"retry", {{"max_attempts", 5}, {"replay", "never"}}},
            {"timeouts", {{"total", "15m"}}},
            {"affinity", {{"header", "X-Session"}, {"body", "user"}}},
            {"clients", {{"max_connections", 7}, {"send", "250ms"}}},
            {"alerts", {{"url_env", "GATEWAY_TEST_HOOK"}, {"floor", 2}}},
            {"grace", "1s"},
            {"log", false}})
          .read();
  CHECK(read.listen == "::1");
  CHECK(read.access_tokens.size() == 2);
  CHECK(read.client.auth.name() == "x-key");
  CHECK(read.client.tokens.at(0).weight == 2.5);
  CHECK(read.client.limits.at(0) ==
        tokenpool::Limit{.amount = 150,
                         .window = 24h,
                         .scope = tokenpool::Scope::token | tokenpool::Scope::bucket,
                         .counted = tokenpool::Counted::on_arrival});
  CHECK(read.client.limits.at(1).unit == tokenpool::Unit::in_flight);
  CHECK(read.client.egress.at(0).source == "127.0.0.2");
  CHECK(read.client.retry.max_attempts == 5);
  CHECK(read.client.timeouts.total == 15min);
  CHECK(read.affinity.member == "user");
  CHECK(read.bounds.send == 250ms);
  CHECK(read.alerts->url.reveal() == "https://hook.example/x");
  CHECK_FALSE(read.log);
}

TEST_CASE("what is unfit in a configuration is named with its remedy and without a secret") {
  const std::pair<json, std::string> cases[] = {
      {{{"prot", 1}}, "prot is no field"},
      {{{"clients", {{"size", 1}}}}, "clients.size is no field"},
      {{{"port", 70000}}, "port is 70000: give a whole number from 0 to 65535"},
      {{{"port", "80"}}, "port is no number"},
      {{{"listen", "example.com"}}, "give an address of this machine"},
      {{{"listen", "0.0.0.0"}}, "access_tokens is empty"},
      {{{"base_url", "http://u:" + canary + "@h"}}, "base_url is not fit"},
      {{{"policy", "best"}}, "no policy named \"best\""},
      {{{"auth", "digest"}}, "auth is \"digest\""},
      {{{"tokens", {canary + " b"}}}, "tokens[0].secret has white space"},
      {{{"tokens", {{{"id", "x"}}}}}, "tokens[0].secret is empty"},
      {{{"tokens", {{{"secret", canary}, {"weight", -1}}}}}, "tokens[0].weight"},
      {{{"tokens", {{{"secret", canary}, {"sekret", 1}}}}}, "tokens[0].sekret is no field"},
      {{{"tokens", {{{"secret", canary}, {"id", ".."}}}}}, "tokens has the id \"..\": it would vanish"},
      {{{"tokens", {{"file", "no-such-file"}}}}, "no-such-file cannot be read"},
      {{{"tokens", {{"env", "NO_SUCH_VARIABLE"}}}}, "NO_SUCH_VARIABLE is not set"},
      {{{"tokens", {{"env", "A"}, {"file", "b"}}}}, "tokens has to have either"},
      {{{"tokens", json::array()}}, "tokens is empty"},
      {{{"limits", {{{"amount", 0}, {"window", "1s"}}}}}, "limits[0].amount is 0"},
      {{{"limits", {{{"amount", 1}}}}}, "limits[0].window is 0 ms"},
      {{{"limits", {{{"amount", 1}, {"window", "1 day"}}}}},
       "limits[0].window is \"1 day\": give a number with"},
      {{{"limits", {{{"amount", 1}, {"window", "1s"}, {"per", {"key"}}}}}}, "limits[0].per[0] is \"key\""},
      {{{"alerts", {{"url", "ftp://" + canary}}}}, "alerts: url is not fit"},
      {{{"log", 1}}, "log has to be true or false"},
  };
  for (const auto& [more, expected] : cases) {
    INFO(more.dump());
    CHECK_THAT(complaint(more), ContainsSubstring(expected));
  }
  const File file;
  file.write("{");
  CHECK_THROWS_WITH(file.read(), ContainsSubstring("is no JSON"));
  CHECK_THROWS_WITH(read_configuration("/no/such/file"), ContainsSubstring("cannot be read"));
}

TEST_CASE("tokens come from a file beside the configuration and one that others read is warned of") {
  const test::TemporaryFile tokens;
  std::ofstream(tokens.path()) << "sk-a # first\nsk-b\n";
  std::filesystem::permissions(tokens.path(), std::filesystem::perms(0644));
  const std::string name = std::filesystem::path(tokens.path()).filename().string();
  const File file(json::object({{"tokens", {{"file", name}}}}));
  const Configuration read = file.read();
  CHECK(read.client.tokens.size() == 2);
  CHECK(read.files == std::vector<std::string>{file.path(), tokens.path()});
  REQUIRE(read.warnings.size() == 1);
  CHECK_THAT(read.warnings[0], ContainsSubstring("can be read by others"));
}

TEST_CASE("each error of the library has a status and the form of OpenAI's") {
  const std::pair<ErrorCode, int> table[] = {{ErrorCode::invalid_request, 400},
                                             {ErrorCode::no_tokens, 503},
                                             {ErrorCode::exhausted, 429},
                                             {ErrorCode::deadline_exceeded, 504},
                                             {ErrorCode::cancelled, 503},
                                             {ErrorCode::network, 502},
                                             {ErrorCode::tls, 502},
                                             {ErrorCode::protocol, 502},
                                             {ErrorCode::response_too_large, 502},
                                             {ErrorCode::http_status, 502},
                                             {ErrorCode::ledger, 503}};
  const auto now = std::chrono::system_clock::now();
  for (const auto& [code, status] : table) {
    const Reply reply = refusal(Error(code, "why"), now);
    CHECK(reply.status == status);
    const json error = json::parse(reply.body).at("error");
    CHECK(error.at("message") == "why");
    CHECK(error.at("code") == to_string(code));
    CHECK_FALSE(error.at("type").get<std::string>().empty());
  }
}

TEST_CASE("an answer that stayed is passed on unless it is about a token") {
  const auto now = std::chrono::system_clock::now();
  const auto of_status = [&](int status) {
    auto details = std::make_shared<tokenpool::ErrorDetails>();
    details->response.emplace();
    details->response->status = status;
    details->response->body = "the server's own words";
    return refusal(Error(ErrorCode::http_status, "why", details), now);
  };
  CHECK(of_status(500).status == 500);
  CHECK(of_status(500).body == "the server's own words");
  for (const int status : {401, 402, 403, 429}) CHECK(of_status(status).status == 502);
  auto details = std::make_shared<tokenpool::ErrorDetails>();
  details->retry_at = now + 1500ms;
  CHECK(refusal(Error(ErrorCode::exhausted, "why", details), now).headers.get("Retry-After") == "2");
  details->retry_at = now - 10s;
  CHECK(refusal(Error(ErrorCode::exhausted, "why", details), now).headers.get("Retry-After") == "1");
}

TEST_CASE("a request is the same wherever its bytes are split") {
  const std::string head = "PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& sent :
       {head + "0\r\n\r\n", head + "4;a=b\r\nabcd\r\n1\r\ne\r\n0\r\nT: 1\r\n\r\n"}) {
    for (std::size_t length = 1; length <= sent.size(); ++length) {
      INFO("in pieces of " << length << " bytes: " << sent);
      RequestReader reader(1024, 1024);
      auto progress = RequestReader::Progress::more;
      std::string unread;
      for (std::size_t at = 0; at < sent.size(); at += length) {
        std::string_view rest = unread += sent.substr(at, length);
        progress = reader.read(rest);
        if (progress == RequestReader::Progress::head) progress = reader.read(rest);
        unread.erase(0, unread.size() - rest.size());
      }
      REQUIRE(progress == RequestReader::Progress::complete);
      CHECK(reader.request().body == (sent.size() > head.size() + 5 ? "abcde" : ""));
    }
  }
}

TEST_CASE("bucket and affinity come from the outermost members of a body or from a header") {
  const auto request_of = [](const std::string& body, const tokenpool::Headers& headers = {}) {
    return outbound({.method = "POST", .target = "/x", .headers = headers, .body = body},
                    {"X-Session", "user"});
  };
  const auto late = request_of(R"({"messages":[{"model":"no","user":"no"}],"user":"u1","model":"m1"})");
  CHECK(late.bucket == "m1");
  CHECK(late.affinity == "u1");
  CHECK(request_of(R"({"model":"m1","user":"u1"})", {{"x-session", "s"}}).affinity == "s");
  CHECK(request_of(R"({"model":{"model":"deep"},"user":7})").bucket.empty());
  CHECK(request_of(R"([{"model":"in a list"}])").bucket.empty());
  CHECK(request_of(R"({"model":"m1","cut)").bucket == "m1");
  CHECK(request_of("model").bucket.empty());
  CHECK(request_of(std::string(100'000, '[')).bucket.empty());
  CHECK(request_of("{\"model\":" + std::string(1'000'000, '[')).bucket.empty());
  CHECK(request_of("{}", {{"Idempotency-Key", "k"}}).idempotency_key == "k");
}

TEST_CASE("the chronicle keeps ten minutes and the last hundred news") {
  Chronicle chronicle;
  tokenpool::Observer observer = chronicle.observer();
  tokenpool::Attempt attempt{.token_id = "one", .status = 429, .verdict = tokenpool::Verdict::rate_limited};
  chronicle.turn_to(1000);
  observer.on_attempt({attempt});
  observer.on_retry({attempt, 0s});
  chronicle.turn_to(1001);
  CHECK(chronicle.seconds().back().t == 1000);
  CHECK(chronicle.seconds().back().requests == 1);
  CHECK(chronicle.seconds().back().rate_limited == 1);
  CHECK(chronicle.seconds().back().retries == 1);
  chronicle.turn_to(1'000'000);
  CHECK(chronicle.seconds().size() == Chronicle::seconds_kept);
  CHECK(chronicle.seconds().back().t == 999'999);
  for (int i = 0; i < 150; ++i) chronicle.tell("warning", "", "", std::to_string(i));
  CHECK(chronicle.news().size() == Chronicle::news_kept);
  CHECK(chronicle.news(chronicle.news().back().id - 1).size() == 1);
}

TEST_CASE("the end of a rest is published when it comes and not with the next second") {
  boost::asio::io_context context;
  Chronicle chronicle;
  int published = 0;
  Live live(
      context, chronicle, [&] { return ++published, PoolView{.json = "{}", .rest_ends_in = 10ms}; }, "{}");
  const auto feed = live.feed({.target = "/tokenpool/live"}, [] {});
  const auto began = std::chrono::steady_clock::now();
  const auto beyond_seconds = [&] { return published > static_cast<int>(chronicle.seconds().size()) + 5; };
  while (!beyond_seconds() && std::chrono::steady_clock::now() - began < 60s) context.run_one();
  CHECK(beyond_seconds());
}

TEST_CASE("the program ends with a code that says how") {
  CHECK(exit_code({}) == 2);
  CHECK(exit_code({"/no/such/file"}) == 2);
  CHECK(exit_code({"--help"}) == 0);
  const File file;
  support::ChildProcess process({TOKENPOOL_GATEWAY_PATH, "--exit-with-parent", file.path()});
  CHECK_THAT(process.read_line(), test::StartsWith("listening on http://127.0.0.1:"));
  CHECK(process.end() == 0);
}
