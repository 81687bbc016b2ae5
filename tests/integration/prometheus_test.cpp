// A scrape as a Prometheus server makes it: over a socket, and judged by Prometheus' own tool.

#include "tokenpool/prometheus.hpp"

#include <prometheus/exposer.h>
#include <prometheus/text_serializer.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "support/calls.hpp"
#include "support/plain_http.hpp"
#include "support/temporary_folder.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::http;

namespace {

/// A client that has met all that metrics tell of.
struct Watched {
  test::ScriptedServer server{{{http(200)},
                               {http(429, "{}", "Retry-After: 3600\r\n")},
                               {http(503)},
                               {http(401, R"({"error": {"code": "invalid_api_key", "message": "canary"}})")},
                               {http(200)}}};
  std::shared_ptr<AttemptMetrics> attempts = std::make_shared<AttemptMetrics>();
  Client<> client{options()};
  std::shared_ptr<PoolCollectable> pool = std::make_shared<PoolCollectable>(client);

  Watched() {
    for (int call = 0; call < 2; ++call) CHECK(client.try_send({.path = "/canary"}));
  }

  ClientOptions options() const {
    ClientOptions options = test::options_for(server, {.observer = attempts->observer()});
    options.limits = {Limit::per_token(100, 24h), Limit::per_account(1000, 1500ms),
                      Limit::per_egress(500, 1min), Limit::per_pool(2000, 1h)};
    options.limits.push_back({.amount = 8, .scope = Scope::token, .unit = Unit::in_flight});
    options.tokens[0].account = "company";
    return options;
  }
};

/// What `promtool ARGUMENTS` prints, and its exit status in the end; "0" is a silent success.
std::string promtool(const std::string& arguments) {
  const test::TemporaryFolder folder;
  const std::string command = std::string(TOKENPOOL_PROMTOOL_PATH) + " " + arguments;
  const int status = std::system((command + " >" + folder / "out" + " 2>&1").c_str());
  return folder.read("out") + std::to_string(status);
}

bool has_promtool() {
  const bool here = !std::string(TOKENPOOL_PROMTOOL_PATH).empty();
  if (!here) WARN("skipped: promtool is not here (tests/run fetches it)");
  return here;
}

}  // namespace

TEST_CASE("a scrape over a socket tells of tokens and answers and has no fault") {
  const Watched watched;
  prometheus::Exposer exposer("127.0.0.1:0");
  exposer.RegisterCollectable(watched.attempts);
  exposer.RegisterCollectable(watched.pool);
  const std::string port = std::to_string(exposer.GetListeningPorts().at(0));
  const std::string text = test::plain_get("http://127.0.0.1:" + port + "/metrics").body;
  for (const char* line :
       {"\ntokenpool_tokens{state=\"ejected\"} 1\n", "\ntokenpool_tokens{state=\"resting\"} 1\n",
        "\ntokenpool_account_state{account=\"company\",state=\"available\"} ",
        "\ntokenpool_retries_total{verdict=\"rate_limited\"} 1\n",
        "\ntokenpool_attempt_duration_seconds_count 5\n"}) {
    CHECK_THAT(text, ContainsSubstring(line));
  }
  CHECK_THAT(text, !ContainsSubstring("canary"));
  if (has_promtool()) {
    const test::TemporaryFolder folder;
    CHECK(promtool("check metrics <" + folder.write("metrics", text)) == "0");
    CHECK(promtool("check metrics <" + folder.write("bad", "# TYPE calls counter\ncalls 1\n")) != "0");
  }
}

TEST_CASE("the alert rules in the docs are rules and ask for metrics that there are") {
  const std::string path = TOKENPOOL_DOCS_PATH "/alerts.rules.yml";
  if (has_promtool()) {
    CHECK_THAT(promtool("check rules " + path), ContainsSubstring("rules found"));
  }
  const Watched watched;
  std::ostringstream metrics;
  prometheus::TextSerializer().Serialize(metrics, watched.attempts->Collect());
  prometheus::TextSerializer().Serialize(metrics, watched.pool->Collect());
  std::ifstream file(path);
  const std::string rules{std::istreambuf_iterator<char>(file), {}};
  const std::regex name("tokenpool_[a-z_]+");
  std::set<std::string> names;
  for (std::sregex_iterator at(rules.begin(), rules.end(), name), end; at != end; ++at) {
    names.insert(at->str());
  }
  CHECK(names.size() > 3);
  for (const std::string& one : names) CHECK_THAT("\n" + metrics.str(), ContainsSubstring("\n" + one));
}
