// Every fault that a server or a network can have, under a mixed load: each call ends once, on time and with
// the right cause, nothing is mixed up, and afterwards nothing is left. The script `network` runs the program
// in a network of its own whose packets are lost, reset or slow, and says so in TOKENPOOL_TEST_NETWORK; where
// it could not make them late, a relay is told to by TOKENPOOL_TEST_DELAY_MS.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "catch_compat.hpp"
#include "delaying_relay.hpp"
#include "mixed_load.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::LoadCall;

namespace {

std::ptrdiff_t entries(const char* folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

ClientOptions options_for(const std::string& origin) {
  ClientOptions options{
      .base_url = origin + "/v1",
      .tokens = parse_tokens("sk-canary-0,sk-canary-1,sk-canary-2,sk-canary-3"),
      .limits = {Limit::per_token(40, 200ms), {.amount = 12, .scope = Scope::token, .unit = Unit::in_flight}},
      .egress = {{.id = "here"}}};
  options.retry.backoff = {.first = 1ms, .max = 20ms};
  options.retry.max_wait = 2s;
  options.timeouts = {.connect = 3s, .first_byte = 1s, .idle = 1s, .total = 6s};
  return options;
}

/// Whether a call may end so. That it was on time is said with much air, for a machine may be busy; a call
/// that forgot its deadline would take until timeouts.total.
void check_end(const LoadCall& call) {
  INFO("call " << call.id << " of kind " << static_cast<int>(call.kind));
  REQUIRE(call.ends == 1);
  CHECK_FALSE(call.mixed_up);
  const auto took = call.ended - call.begun;
  if (call.deadline) CHECK(took < *call.deadline + 3s);
  if (call.cancel.cancelled()) CHECK(took < *call.cancelled_after + 3s);
  if (call.result->has_value()) {
    const Response& answer = call.result->value();
    INFO("status " << answer.status << ", body \"" << answer.body << "\"");
    if (call.kind != LoadCall::Kind::streaming) {
      CHECK((answer.status != 200 || answer.body == "id=" + std::to_string(call.id)));
    } else {
      CHECK((answer.status != 200 || call.events == test::events_of_a_stream));
    }
    return;
  }
  const Error& error = call.result->error();
  INFO(error.what());
  CHECK_THAT(error.what(), !test::ContainsSubstring("canary"));
  switch (error.code()) {
    case ErrorCode::cancelled: CHECK(call.cancel.cancelled()); break;
    case ErrorCode::deadline_exceeded: CHECK((call.deadline && took >= *call.deadline)); break;
    case ErrorCode::exhausted:
    case ErrorCode::network:
    case ErrorCode::protocol:
    case ErrorCode::http_status: break;
    default: FAIL("the call ended with " << to_string(error.code()));
  }
}

}  // namespace

TEST_CASE("under a mixed load with faults every call ends once and nothing is left") {
  const char* const named = std::getenv("TOKENPOOL_TEST_NETWORK");
  const std::string network = named != nullptr ? named : "whole";
  const unsigned seed = std::random_device()();
  INFO("network: " << network << ", seed: " << seed);
  std::mt19937 random(seed);
  test::ScriptedServer server(
      [faults = std::mt19937(random())]() mutable { return test::faulty_turn(faults); });
  const std::ptrdiff_t descriptors = entries("/proc/self/fd");
  const std::ptrdiff_t threads = entries("/proc/self/task");

  test::LoadCalls calls = test::draw_calls(400, random);
  {
    std::optional<test::DelayingRelay> relay;
    if (const char* const delay = std::getenv("TOKENPOOL_TEST_DELAY_MS"))
      relay.emplace(server.port(), std::chrono::milliseconds(std::stoi(delay)));
    Client<> client(options_for(relay ? relay->origin() : server.origin()));
    test::make_all(client, calls, 24);
    const PoolSnapshot after = client.stats();
    CHECK(after.pool.waiting == 0);
    CHECK(std::all_of(after.tokens.begin(), after.tokens.end(),
                      [](const TokenSnapshot& token) { return token.in_flight == 0; }));
    CHECK(after.egresses.at(0).in_flight == 0);
  }
  for (const auto& call : calls) {
    check_end(*call);
    if (network == "late" && call->result->has_value()) CHECK(call->ended - call->begun >= 60ms);
  }

  // The server does not notice at once that a connection is gone, or never where the network ended it.
  const auto left_over = [&](const char* folder, std::ptrdiff_t before) {
    return entries(folder) - before - static_cast<std::ptrdiff_t>(server.connected());
  };
  const auto nothing_left = [&] {
    return left_over("/proc/self/fd", descriptors) == 0 && left_over("/proc/self/task", threads) == 0;
  };
  for (int tries = 0; tries < 1000 && !nothing_left(); ++tries) std::this_thread::sleep_for(10ms);
  CHECK(nothing_left());

  std::array<int, 3> ends{};
  for (const auto& call : calls) {
    const bool good = call->result->has_value() && call->result->value().ok();
    ++ends[good ? 0U : call->cancel.cancelled() || call->deadline ? 1U : 2U];
  }
  std::cout << network << ": " << ends[0] << " answered, " << ends[1]
            << " of those with a deadline or a cancel and " << ends[2] << " others ended in an error\n";
  CHECK(ends[0] > static_cast<int>(calls.size()) / 4);
}
