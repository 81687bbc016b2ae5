// What happens behind the calls: as news while they go on, and as a table at any time. None of it ever shows
// a secret.
//
// server: --tokens sk-alpha,sk-beta,sk-gamma --limit 2 --window 24h --kill sk-gamma:0

#include <iostream>
#include <tokenpool/tokenpool.hpp>

int main(int argc, char** argv) {
  std::vector<tokenpool::Token> tokens = tokenpool::tokens_from_env("TOKENS");
  tokens.at(0).id = "alpha";
  tokens.at(1).id = "beta";
  tokens.at(2).id = "gamma";

  tokenpool::Observer observer;  // each member is optional; called outside of any lock
  observer.on_attempt = [](const tokenpool::AttemptEvent& event) {
    std::cout << "attempt: " << event.attempt.token_id << ' ' << event.attempt.status << '\n';
  };
  observer.on_rest = [](const tokenpool::RestEvent& event) {
    std::cout << "rest: " << event.token_id << ", " << event.reason << '\n';
  };
  observer.on_ejected = [](const tokenpool::EjectedEvent& event) {
    std::cout << "ejected: " << event.token_id << ", " << event.reason << '\n';
  };

  tokenpool::Client<tokenpool::RoundRobin> client{{
      .base_url = argc > 1 ? argv[1] : "https://api.example.com/v1",
      .tokens = tokens,
      .observer = observer,
  }};
  for (int i = 0; i < 5; ++i) {
    static_cast<void>(client.try_send({.path = "/models"}));
  }

  const nlohmann::json table = to_json(client.stats());
  for (const auto& token : table["tokens"]) {
    std::cout << token["id"] << ' ' << token["state"] << " requests: " << token["requests"]
              << " 429s: " << token["rate_limited"] << '\n';
  }
}

// prints:
//   attempt: alpha 200
//   attempt: beta 200
//   attempt: gamma 401
//   ejected: gamma, credential refused (HTTP 401, invalid_api_key)
//   attempt: alpha 200
//   attempt: beta 200
//   attempt: alpha 429
//   rest: alpha, too fast (HTTP 429, rate_limit_exceeded)
//   attempt: beta 429
//   rest: beta, too fast (HTTP 429, rate_limit_exceeded)
//   "alpha" "resting" requests: 3 429s: 1
//   "beta" "resting" requests: 3 429s: 1
//   "gamma" "ejected" requests: 1 429s: 0
