// A program that uses the client: nobody listens where it asks, so it has to end in an error that keeps the
// secret.
#include <chrono>
#include <string>
#include <tokenpool/tokenpool.hpp>

int main() {
  tokenpool::Client<tokenpool::RoundRobin> client{{
      .base_url = "http://127.0.0.1:9/v1",
      .tokens = tokenpool::parse_tokens("sk-one, sk-two"),
      .retry = {.max_attempts = 1},
  }};
  try {
    client.post("/chat/completions", {{"model", "any"}}, {.deadline = std::chrono::seconds(2)});
  } catch (const tokenpool::Error& error) {
    return std::string(error.what()).find("sk-") == std::string::npos ? 0 : 1;
  }
  return 1;
}
