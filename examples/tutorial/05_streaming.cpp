// An answer that is shown while it is being written: server-sent events, as chat APIs send them.
//
// server: --tokens sk-alpha,sk-beta

#include <iostream>
#include <tokenpool/tokenpool.hpp>

using nlohmann::json;

int main(int argc, char** argv) {
  tokenpool::Client<> client{{
      .base_url = argc > 1 ? argv[1] : "https://api.example.com/v1",
      .tokens = tokenpool::tokens_from_env("TOKENS"),
  }};
  const json question{{"model", "echo"},
                      {"stream", true},
                      {"messages", {{{"role", "user"}, {"content", "one word after the other"}}}}};
  const tokenpool::Request request{.method = "POST", .path = "/chat/completions", .body = question.dump()};

  const auto show = [](const tokenpool::ServerSentEvent& event) {
    const json delta = json::parse(event.data)["choices"][0]["delta"];
    std::cout << delta.value("content", "") << std::flush;
  };
  client.stream(request, show);  // returns when the server has said [DONE]; a stream that is cut throws
  std::cout << '\n';

  // Whoever has seen enough returns false, and the connection is closed.
  int events = 0;
  client.stream(request, [&](const tokenpool::ServerSentEvent&) { return ++events < 3; });
  std::cout << "stopped after " << events << " events\n";
}

// prints:
//   echo: one word after the other
//   stopped after 3 events
