// A policy only chooses: what rests, is used up or was asked already is not among its candidates. So a rule
// of your own is a function, or a type with a `pick`.
//
// server: --tokens sk-alpha,sk-beta,sk-gamma --limit 2

#include <iostream>
#include <tokenpool/tokenpool.hpp>

/// Takes the cheapest token that may be used; its price stands in Token::weight. Looks at each candidate:
/// O(n).
struct Cheapest {
  std::size_t pick(const tokenpool::Candidates& candidates, tokenpool::PickContext&) const {
    std::size_t best = 0;
    for (std::size_t i = 1; i < candidates.size(); ++i) {
      if (candidates[i].weight < candidates[best].weight) best = i;
    }
    return best;
  }
};

template <class Client>
void ask_four_times(const char* name, Client& client) {
  std::cout << name << ':';
  for (int i = 0; i < 4; ++i) std::cout << ' ' << client.get("/models").token_id;
  std::cout << '\n';
}

int main(int argc, char** argv) {
  std::vector<tokenpool::Token> tokens = tokenpool::tokens_from_env("TOKENS");
  tokens.at(0) = {.secret = tokens.at(0).secret, .id = "dear", .weight = 30};
  tokens.at(1) = {.secret = tokens.at(1).secret, .id = "cheap", .weight = 1};
  tokens.at(2) = {.secret = tokens.at(2).secret, .id = "fair", .weight = 4};
  const tokenpool::ClientOptions options{
      .base_url = argc > 1 ? argv[1] : "https://api.example.com/v1",
      .tokens = tokens,
      .limits = {tokenpool::Limit::per_token(2, std::chrono::hours(24))},
  };

  tokenpool::Client<Cheapest> frugal{options};
  ask_four_times("a type", frugal);

  // The pool draws from `context.random`, so that a run can be repeated with ClientOptions::seed.
  const auto any = [](const tokenpool::Candidates& candidates, tokenpool::PickContext& context) {
    return context.random.below(static_cast<std::uint32_t>(candidates.size()));
  };
  tokenpool::Client<decltype(any)> lucky{options, any};
  std::cout << "a lambda: " << lucky.stats().pool.available << " tokens to choose from\n";
}

// prints:
//   a type: cheap cheap fair fair
//   a lambda: 3 tokens to choose from
