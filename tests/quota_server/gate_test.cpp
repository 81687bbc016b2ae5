#include "gate.hpp"

#include "at.hpp"
#include "catch_compat.hpp"
#include "memory_store.hpp"

using namespace quota_server;
using namespace std::chrono_literals;
using test::at;

namespace {

/// A gate with two tokens, two requests per ten seconds and a clock that the test moves.
struct World {
  explicit World(Rule rule, std::map<std::size_t, std::size_t> deaths = {})
      : tokens({"a", "b"}, std::move(deaths), 1),
        gate(rule, tokens, std::make_unique<MemoryStore>(quota()), [this] { return now; }) {}

  static Quota quota() { return {.amount = 2, .window = 10s, .kind = WindowKind::first_request}; }

  Outcome ask(std::optional<std::size_t> token, const std::string& ip = "1.1.1.1") {
    return gate.admit(token, ip).outcome;
  }

  Time now = at(0s);
  Tokens tokens;
  Gate gate;
};

}  // namespace

TEST_CASE("per token the address does not matter") {
  World world(Rule::per_token);
  CHECK(world.ask(0, "1.1.1.1") == Outcome::admitted);
  CHECK(world.ask(0, "2.2.2.2") == Outcome::admitted);
  CHECK(world.ask(0, "3.3.3.3") == Outcome::refused);
  CHECK(world.ask(1, "1.1.1.1") == Outcome::admitted);
}

TEST_CASE("per token and address an address is full over all its tokens") {
  World world(Rule::token_and_ip);
  CHECK(world.ask(0) == Outcome::admitted);
  CHECK(world.ask(1) == Outcome::admitted);
  CHECK(world.gate.admit(0, "1.1.1.1").scope == Scope::ip);
  CHECK(world.ask(0, "2.2.2.2") == Outcome::admitted);
}

TEST_CASE("per token and address a token is full over all its addresses") {
  World world(Rule::token_and_ip);
  CHECK(world.ask(0, "1.1.1.1") == Outcome::admitted);
  CHECK(world.ask(0, "2.2.2.2") == Outcome::admitted);
  CHECK(world.gate.admit(0, "3.3.3.3").scope == Scope::token);
}

TEST_CASE("a refused token passes again when its window has ended") {
  World world(Rule::per_token);
  world.ask(0);
  world.ask(0);
  const Ruling ruling = world.gate.admit(0, "1.1.1.1");
  CHECK(ruling.outcome == Outcome::refused);
  world.now = ruling.free_at;
  CHECK(world.ask(0) == Outcome::admitted);
}

TEST_CASE("an unknown token is unauthorised and counts nowhere") {
  World world(Rule::token_and_ip);
  CHECK(world.ask(std::nullopt) == Outcome::unauthorised);
  CHECK(world.gate.used_by_ip("1.1.1.1") == 0);
}

TEST_CASE("a token is dead after the requests it was given and refused ones are not among them") {
  World world(Rule::per_token, {{0, 3}});
  CHECK(world.ask(0) == Outcome::admitted);
  CHECK(world.ask(0) == Outcome::admitted);
  CHECK(world.ask(0) == Outcome::refused);
  world.now += 10s;
  CHECK(world.ask(0) == Outcome::admitted);
  CHECK(world.ask(0) == Outcome::unauthorised);
  CHECK(world.ask(1) == Outcome::admitted);
}

TEST_CASE("the gate tells what the current window holds") {
  World world(Rule::token_and_ip);
  world.ask(1);
  CHECK(world.gate.used_by_token(1) == 1);
  CHECK(world.gate.used_by_token(0) == 0);
  CHECK(world.gate.used_by_ip("1.1.1.1") == 1);
}
