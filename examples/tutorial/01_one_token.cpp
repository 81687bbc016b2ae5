// One token, one question: the least that a program needs. A client is made once and shared by all threads.
//
// server: --tokens sk-alpha

#include <iostream>
#include <tokenpool/tokenpool.hpp>

int main(int argc, char** argv) try {
  tokenpool::Client<> client{{
      .base_url = argc > 1 ? argv[1] : "https://api.example.com/v1",
      .tokens = tokenpool::tokens_from_env("TOKENS"),  // never in the source
  }};

  const tokenpool::Response reply = client.post(
      "/chat/completions", {{"model", "echo"}, {"messages", {{{"role", "user"}, {"content", "Hello"}}}}});
  std::cout << reply.json()["choices"][0]["message"]["content"].get<std::string>() << '\n';

  // An error that is the request's own fault is an answer like any other: no token would change it.
  const tokenpool::Response missing = client.get("/no-such-route");
  std::cout << "status " << missing.status << ", after " << missing.attempts.size() << " attempt\n";
} catch (const tokenpool::Error& error) {  // all that keeps a call from an answer
  std::cerr << to_string(error.code()) << ": " << error.what() << '\n';
  return 1;
}

// prints:
//   echo: Hello
//   status 404, after 1 attempt
