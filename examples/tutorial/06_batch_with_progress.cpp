// Many questions at once, so many at a time, with a word on how far it is. Results come in the order of the
// questions, each an answer or an Error.
//
// server: --tokens sk-alpha,sk-beta,sk-gamma --delay 10ms --jitter 10ms

#include <iostream>
#include <tokenpool/tokenpool.hpp>
#include <vector>

int main(int argc, char** argv) {
  tokenpool::Client<tokenpool::LeastInFlight> client{{
      .base_url = argc > 1 ? argv[1] : "https://api.example.com/v1",
      .tokens = tokenpool::tokens_from_env("TOKENS"),
  }};

  std::vector<tokenpool::Request> questions;
  for (int i = 1; i <= 30; ++i) {
    const nlohmann::json body{
        {"messages", {{{"role", "user"}, {"content", "question " + std::to_string(i)}}}}};
    questions.push_back({.method = "POST", .path = "/chat/completions", .body = body.dump()});
  }

  const auto results =
      client.send_all(questions, {
                                     .concurrency = 6,
                                     .on_progress =
                                         [](const tokenpool::BatchProgress& progress) {  // one at a time
                                           if (progress.done % 10 == 0) {
                                             std::cout << progress.done << '/' << *progress.total << ", "
                                                       << progress.failed << " failed\n";
                                           }
                                         },
                                 });

  std::size_t answered = 0;
  for (const tokenpool::Result<tokenpool::Response>& result : results) answered += result ? 1U : 0U;
  std::cout << answered << " answered; the last: "
            << results.back()->json()["choices"][0]["message"]["content"].get<std::string>() << '\n';
}

// prints:
//   10/30, 0 failed
//   20/30, 0 failed
//   30/30, 0 failed
//   30 answered; the last: echo: question 30
