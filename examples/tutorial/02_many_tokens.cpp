// Three tokens, one of which is revoked: the calls go on with the others, and the statistics say which it
// was.
//
// server: --tokens sk-alpha,sk-beta,sk-gamma --kill sk-beta:0

#include <iostream>
#include <tokenpool/tokenpool.hpp>

int main(int argc, char** argv) {
  std::vector<tokenpool::Token> tokens = tokenpool::tokens_from_env("TOKENS");
  tokens.at(0).id = "alpha";  // a name for logs and statistics; without one it is a hash of the secret
  tokens.at(1).id = "beta";
  tokens.at(2).id = "gamma";

  tokenpool::Client<tokenpool::RoundRobin> client{{
      .base_url = argc > 1 ? argv[1] : "https://api.example.com/v1",
      .tokens = tokens,
  }};

  for (int i = 0; i < 4; ++i) {
    const tokenpool::Response reply = client.get("/models");
    for (const tokenpool::Attempt& attempt : reply.attempts) {
      std::cout << attempt.token_id << ' ' << attempt.status << "  ";
    }
    std::cout << '\n';
  }

  for (const tokenpool::TokenSnapshot& token : client.stats().tokens) {
    std::cout << token.id << " is " << to_string(token.state) << ": " << token.successes << " of "
              << token.requests << " answered\n";
  }

  client.pool().set_secret("beta", tokenpool::Secret("sk-renewed"));  // a new key for the same place
  client.pool().enable("beta");                                       // takes the ejection back
  std::cout << client.stats().pool.available << " tokens are available\n";
}

// prints:
//   alpha 200
//   beta 401  gamma 200
//   alpha 200
//   gamma 200
//   alpha is available: 2 of 2 answered
//   beta is ejected: 0 of 1 answered
//   gamma is available: 2 of 2 answered
//   3 tokens are available
