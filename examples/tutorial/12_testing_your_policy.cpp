// What tokenpool is tested with, for what you build on it: the properties of a policy, and whole
// conversations with a server that exists on paper, in virtual time and with no network at all.

#include <iostream>
#include <tokenpool/testing.hpp>
#include <tokenpool/tokenpool.hpp>

/// Begins anew with the first candidate each time; not what one wants of a policy that should share evenly.
struct FirstOne {
  std::size_t pick(const tokenpool::Candidates&, tokenpool::PickContext&) const { return 0; }
};

int main() {
  namespace testing = tokenpool::testing;

  // The duties of every policy, in a storm of tokens that come, rest and go; and a promise of this one.
  std::cout << "FirstOne: " << testing::check_policy<FirstOne>().size() << " violations of the duties\n";
  const std::vector<std::string> violations = testing::check_policy<FirstOne>({.fairness = 0.1});
  std::cout << "of its promise: " << violations.at(0).substr(0, violations.at(0).find(';')) << '\n';

  // A conversation: the first token is told to rest for a minute, the second is asked, both rest, the call
  // waits.
  const testing::ManualClock clock;
  testing::ScriptedTransport server(clock);
  server.answer(429, "{}", {{"Retry-After", "60"}})
      .answer(429, "{}", {{"Retry-After", "30"}})
      .answer(200, R"({"answer": 42})");
  tokenpool::Client client{tokenpool::ClientOptions{
                               .base_url = "https://api.example.com",
                               .tokens = tokenpool::parse_tokens("first,second"),
                           },
                           FirstOne{}, std::make_shared<testing::ScriptedTransport>(server),
                           std::make_shared<testing::ManualClock>(clock)};

  const auto before = clock.now().steady;
  std::cout << "answer: " << client.get("/").json()["answer"] << ", from:";
  for (const testing::SentRequest& request : server.sent()) std::cout << ' ' << request.token();
  const auto waited = std::chrono::round<std::chrono::seconds>(clock.now().steady - before);
  std::cout << ", after " << waited.count() << " s that took no time\n";
}

// prints:
//   FirstOne: 0 violations of the duties
//   of its promise: with equal tokens: token t0 served 20000 of 20000 requests
//   answer: 42, from: first second second, after 30 s that took no time
