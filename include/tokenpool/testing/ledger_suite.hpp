#pragma once
// What every ledger must keep, checked on a real store: run it on a ledger of your own before you trust it
// with your limits. It needs no test framework.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/testing/ledger_counting.hpp"

namespace tokenpool::testing {

namespace detail {

/// All scenarios: counts, and what else processes tell each other by a store.
class LedgerSuite : private CountingScenarios {
  friend LedgerChecks;

 public:
  explicit LedgerSuite(LedgerStand stand) : CountingScenarios(std::move(stand)) {}

  std::vector<std::string> run() {
    run_counting();
    check("with news", &LedgerSuite::spreads_rests);
    check("with ejections", &LedgerSuite::spreads_ejections);
    check("with strange names", &LedgerSuite::takes_any_name);
    check("with what was spent elsewhere", &LedgerSuite::takes_in_what_was_spent);
    if (trial_.stand().empty) {
      check("after it was emptied", &LedgerSuite::begins_a_new_epoch);
    }
    return std::move(violations_);
  }

 private:
  using Kind = LedgerNews::Kind;

  /// What `process` hears of `subject`; nothing when it is no news.
  std::vector<LedgerNews> heard_of(Process& process, const std::string& subject) {
    std::vector<LedgerNews> news = process.hear();
    std::erase_if(news, [&](const LedgerNews& one) { return one.subject != subject; });
    return news;
  }

  void spreads_rests() {
    constexpr std::chrono::minutes minute{1};
    Process one = trial_.process();
    Process other = trial_.process();
    other.hear();
    const std::string token = trial_.subject("rests");
    one.tell({Kind::rest, token, 10 * minute, Verdict::rate_limited, "too fast"});
    std::vector<LedgerNews> heard = heard_of(other, token);
    expect(heard.size() == 1 && heard[0].kind == Kind::rest && heard[0].cause == Verdict::rate_limited &&
               heard[0].reason == "too fast" && heard[0].left <= 10 * minute && heard[0].left > 9 * minute,
           "a rest is not heard as it was told");
    expect(heard_of(other, token).empty(), "news that was heard comes again");
    one.tell({Kind::rest, token, minute, Verdict::rate_limited, ""});
    heard = heard_of(other, token);
    expect(heard.empty() || heard[0].left > 9 * minute, "a rest was shortened");
    other.tell({Kind::rest, token, 20 * minute, Verdict::quota_exhausted, ""});
    heard = heard_of(one, token);
    expect(heard.size() == 1 && heard[0].left > 19 * minute, "a rest was not lengthened");
    Process late = trial_.process();
    late.tell({Kind::ended, token, {}, Verdict::success, ""});
    expect(heard_of(one, token).empty(), "a rest was ended by somebody who had not heard of it");
    heard_of(one, token);
    one.tell({Kind::ended, token, {}, Verdict::success, ""});
    heard = heard_of(other, token);
    expect(!heard.empty() && heard.back().kind == Kind::ended, "the end of a rest is not heard");
    one.tell({Kind::rest, token, Milliseconds(1), Verdict::rate_limited, ""});
    trial_.pass(Milliseconds(5));
    Process latest = trial_.process();
    expect(heard_of(latest, token).empty(), "a rest that is over is news");
  }

  void spreads_ejections() {
    Process one = trial_.process();
    Process other = trial_.process();
    other.hear();
    const std::string token = trial_.subject("ejected");
    const std::string bucket = token + " bucket=gpt";
    one.tell({Kind::rest, bucket, std::chrono::minutes(10), Verdict::rate_limited, ""});
    one.tell({Kind::ejected, token, {}, Verdict::token_invalid, "revoked"});
    one.tell({Kind::rest, token, std::chrono::minutes(1), Verdict::rate_limited, ""});
    one.tell({Kind::ended, token, {}, Verdict::success, ""});
    std::vector<LedgerNews> heard = heard_of(other, token);
    expect(heard.size() == 1 && heard[0].kind == Kind::ejected && heard[0].reason == "revoked",
           "an ejection is not heard, or was ended by less than a person");
    other.tell({Kind::enabled, token, {}, Verdict::success, ""});
    heard = heard_of(one, token);
    expect(heard.size() == 1 && heard[0].kind == Kind::enabled, "what a person enabled is not heard");
    Process late = trial_.process();
    expect(heard_of(late, bucket).empty(), "a bucket of a token that a person enabled rests");
  }

  void takes_any_name() {
    Process process = trial_.process();
    std::vector<Claim> claims;
    for (const char* name :
         {"it's", "\"q\"", "{a}", "[b]", "%s", "a\nb", "\xc3\xa4", "x y=z", "*", "\\", ":"}) {
      claims.push_back(trial_.claim(name, 1));
    }
    claims.push_back(trial_.claim(std::string(300, 'n'), 1));
    expect(bool(process.take(claims)), "a name is refused");
    const Try refused = process.take({claims.back()});
    expect(!refused, "a long name is not counted");
    for (const Claim& claim : claims) {
      expect(process.used(claim) == 1,
             "a place is counted " + std::to_string(process.used(claim)) + " times");
    }
  }

  void takes_in_what_was_spent() {
    Process one = trial_.process();
    Process other = trial_.process();
    const Claim claim = trial_.claim("spent", 3);
    const std::uint64_t open = Process::new_id();
    const Milliseconds before = trial_.now();
    const std::vector<LedgerSpent> open_one{{claim, 10 * window_, open}};
    one.spend({{claim, window_ / 2}, {claim, 10 * window_, open}});
    one.spend(open_one);
    expect(other.used(claim) == 2, "what was spent is not counted once each");
    expect(bool(other.take({claim})) && !other.take({claim}), "what was spent does not take room");
    one.end({.reservation = open, .sent = false});
    expect(other.used(claim) <= 2, "a lease that was told of cannot be ended");
    static_cast<void>(before);
  }

  void begins_a_new_epoch() {
    Process old = trial_.process();
    const Claim claim = trial_.claim("epoch", 2);
    const Try before = old.take({claim});
    trial_.stand().empty();
    const Try refused = old.take({claim});
    expect(!refused, "a process that knows more than the store was granted a lease");
    expect(refused.answer.epoch != before.answer.epoch && refused.answer.epoch != 0, "the epoch is the same");
    expect(old.used(claim) == 0, "something was done for a process of another epoch");
    old.spend({{claim, window_, before.id}});
    expect(old.take({claim}) && !old.take({claim}), "what was spent before does not count");
    Process young = trial_.process();
    const Claim other = trial_.claim("young", 1);
    const std::chrono::hours hour{1};
    const Try waits = young.take({other}, {.fresh_for = hour});
    expect(!waits && waits.answer.retry_in <= hour && waits.answer.retry_in > hour / 2 &&
               waits.answer.refused_claim == 1,
           "a store that is too young grants a lease");
    expect(bool(young.take({other})), "a store is too young for those who do not mind");
  }
};

}  // namespace detail

/// Runs the ledger through every scenario and returns what it violates, a sentence each; empty when it
/// passes. Takes about twelve windows of time.
/// @code
/// const auto violations = tokenpool::testing::check_ledger({.connect = [](auto) { return my_ledger(); }});
/// @endcode
inline std::vector<std::string> check_ledger(LedgerStand stand) {
  return detail::LedgerSuite(std::move(stand)).run();
}

}  // namespace tokenpool::testing
