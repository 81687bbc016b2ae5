#pragma once
// The scenarios of the ledger suite about counts: how long a request takes its place, and that no window ever
// holds more than its limit.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tokenpool/testing/ledger_checks.hpp"

namespace tokenpool::testing::detail {

/// Counts.
class CountingScenarios : protected LedgerChecks {
  friend LedgerChecks;

 protected:
  using LedgerChecks::LedgerChecks;
  ~CountingScenarios() = default;

  void run_counting() {
    check("up to the amount", &CountingScenarios::admits_the_amount);
    check("when one of several claims has no room", &CountingScenarios::takes_all_or_nothing);
    check("after an answer", &CountingScenarios::counts_from_grant_to_a_window_after_the_answer);
    check("in any window", &CountingScenarios::keeps_rolling_windows);
    check("when a request never went out", &CountingScenarios::gives_back);
    check("when the true cost is known", &CountingScenarios::corrects_costs);
    check("when a note comes again", &CountingScenarios::hears_a_note_once);
    check("when a question comes again", &CountingScenarios::grants_a_name_once);
    check("when a process dies", &CountingScenarios::expires_leases_of_the_dead);
    check("with requests in flight", &CountingScenarios::counts_in_flight);
    check("above 256", &CountingScenarios::counts_large_amounts);
    check("when the server counts on arrival", &CountingScenarios::counts_on_arrival);
    check("when an answer may still come", &CountingScenarios::counts_what_may_still_arrive);
    check("when clocks disagree", &CountingScenarios::keeps_its_own_clock);
    check("when many ask at once", &CountingScenarios::is_atomic);
  }

 private:
  void admits_the_amount() {
    Process one = trial_.process();
    Process other = trial_.process();
    const std::vector<Claim> claims{trial_.claim("amount", 3)};
    expect(one.take(claims) && other.take(claims) && one.take(claims), "three of three were not granted");
    for (Process* process : {&one, &other}) {
      const Try refused = process->take(claims);
      expect(!refused, "a fourth of three was granted");
      expect(refused.answer.refused_claim == 0, "a refusal does not say which claim has no room");
      expect(refused.answer.retry_in.count() > 0 && refused.answer.retry_in <= window_ + Milliseconds(2),
             "a refusal says to try again in " + std::to_string(refused.answer.retry_in.count()) + " ms");
    }
    expect(one.used(claims[0]) == 3, "read() does not say that three are used");
    Claim larger = claims[0];
    larger.limit.amount = 5;
    larger.units = 2;
    expect(bool(one.take({larger})), "a limit that was raised lost its counts");
    expect(!one.take({larger}), "a limit that was raised forgot its counts");
    Claim other_window = claims[0];
    other_window.limit.window = 10 * window_;
    expect(bool(one.take({other_window})), "limits of one place and different windows are counted together");
  }

  void takes_all_or_nothing() {
    Process process = trial_.process();
    const Claim wide = trial_.claim("wide", 10);
    const Claim narrow = trial_.claim("narrow", 1);
    expect(bool(process.take({wide, narrow})), "the first lease was refused");
    for (int i = 0; i < 3; ++i) {
      const Try refused = process.take({wide, narrow});
      expect(!refused && refused.answer.refused_claim == 1, "the second claim was not the one refused");
    }
    expect(process.used(wide) == 1,
           "a refused lease left units behind: " + std::to_string(process.used(wide)));
    const Try refused = process.take({narrow, wide});
    expect(!refused && refused.answer.refused_claim == 0, "the first claim was not the one refused");
  }

  void counts_from_grant_to_a_window_after_the_answer() {
    Process one = trial_.process();
    Process other = trial_.process();
    const std::vector<Claim> claims{trial_.claim("answer", 1)};
    const Try first = one.take(claims);
    expect(bool(first), "the first lease was refused");
    expect_no_room_until(other, claims, first.before + window_ + window_ / 2);
    const Milliseconds answered = trial_.now();
    one.end({.reservation = first.id});
    expect_no_room_until(other, claims, answered + window_);
    const Milliseconds settled = trial_.now();
    const Try next = expect_room_from(other, claims, settled);
    trial_.pass(window_ / 2);
    other.end({.reservation = next.id, .answered_ago = Milliseconds(window_ / 2)});
    expect_room_from(one, claims, trial_.now() + window_ / 2 + Milliseconds(2));
    expect(one.read(claims[0]).resets_in.count() > 0, "read() does not say when the count resets");
  }

  /// All that can be had is taken, again and again: no window may ever hold more than the amount.
  void keeps_rolling_windows() {
    constexpr std::int64_t amount = 5;
    Process process = trial_.process();
    const std::vector<Claim> claims{trial_.claim("rolling", amount)};
    std::vector<Try> granted;
    const Milliseconds end = trial_.now() + 3 * window_;
    while (trial_.now() < end) {
      Try made = process.take(claims);
      if (made) {
        process.end({.reservation = made.id});
        made.after = trial_.now();
        granted.push_back(made);
      } else {
        trial_.pass(window_ / 7);
      }
    }
    for (std::size_t i = amount; i < granted.size(); ++i) {
      const Milliseconds apart = granted[i].after - granted[i - amount].before;
      if (apart < window_) {
        return expect(false, std::to_string(amount + 1) + " requests of " + std::to_string(amount) +
                                 " were granted within " + std::to_string(apart.count()) + " ms");
      }
    }
    expect(granted.size() > amount, "what expired did not come back");
  }

  void gives_back() {
    Process one = trial_.process();
    Process other = trial_.process();
    const std::vector<Claim> claims{trial_.claim("back", 1), trial_.claim("back too", 1)};
    const Try lost = one.take(claims);
    one.end({.reservation = lost.id, .sent = false});
    const Try next = other.take(claims);
    expect(bool(next), "what was given back is not free");
    const LedgerNote note{.reservation = next.id, .sent = false};
    expect(bool(other.take(claims, {.notes = {&note, 1}})), "a note does not count for its own question");
  }

  void corrects_costs() {
    Process process = trial_.process();
    Claim cost = trial_.claim("cost", 100, 60);
    cost.limit.unit = Unit::cost;
    const Claim requests = trial_.claim("cost", 10);
    const Try first = process.take({cost, requests});
    expect(!process.take({cost, requests}), "120 of 100 were granted");
    process.end({.reservation = first.id, .cost = 10});
    expect(process.used(cost) == 10, "a cost that turned out smaller is not corrected");
    expect(process.used(requests) == 1, "a cost changed the number of requests");
    const Try second = process.take({cost, requests});
    process.end({.reservation = second.id, .cost = 95});
    expect(process.used(cost) == 105, "a cost that turned out larger is not corrected");
    cost.units = 1;
    expect(!process.take({cost}), "more was granted although the true cost is over the limit");
  }

  void hears_a_note_once() {
    Process process = trial_.process();
    const std::vector<Claim> claims{trial_.claim("twice", 2)};
    const Try first = process.take(claims);
    const Try second = process.take(claims);
    for (int i = 0; i < 3; ++i) {
      process.end({.reservation = first.id, .sent = false});
      process.end({.reservation = Process::new_id(), .sent = false});
    }
    expect(bool(second) && process.used(claims[0]) == 1, "a note that came again was believed again");
    process.end({.reservation = second.id});
    process.end({.reservation = second.id, .sent = false});
    expect(process.used(claims[0]) == 1, "a note after the first one was believed");
  }

  void grants_a_name_once() {
    Process process = trial_.process();
    const std::vector<Claim> claims{trial_.claim("name", 2)};
    const Try first = process.take(claims);
    const Try again = process.take(claims, {.reservation = first.id});
    expect(bool(again), "a lease was refused that had been granted");
    expect(process.used(claims[0]) == 1, "a question that came again was counted again");
    process.end({.reservation = first.id, .sent = false});
    expect(process.used(claims[0]) == 0, "a lease that was asked for again was not given back whole");
  }

  void expires_leases_of_the_dead() {
    const std::vector<Claim> claims{trial_.claim("dead", 1)};
    std::vector<Claim> in_flight{trial_.claim("dead", 1)};
    in_flight[0].limit.unit = Unit::in_flight;
    const Milliseconds lives = window_ / 2;
    Process dead = trial_.process();
    const Try lost = dead.take(claims, {.lives_for = lives});
    const Try lost_in_flight = dead.take(in_flight, {.lives_for = lives});
    expect(lost && lost_in_flight, "the first leases were refused");
    Process living = trial_.process();
    expect_no_room_until(living, in_flight, lost_in_flight.before + lives);
    expect_room_from(living, in_flight, lost_in_flight.after + lives);
    expect_no_room_until(living, claims, lost.before + lives + window_);
    expect_room_from(living, claims, lost.after + lives + window_);
    dead.end({.reservation = lost.id, .sent = false});
    expect(living.used(claims[0]) == 1, "a note of the dead gave back what others have taken");
  }

  void counts_in_flight() {
    Process one = trial_.process();
    Process other = trial_.process();
    std::vector<Claim> claims{trial_.claim("flight", 2)};
    claims[0].limit.unit = Unit::in_flight;
    const Try first = one.take(claims);
    const Try second = other.take(claims);
    const Try third = one.take(claims);
    expect(first && second && !third, "two at a time are not two at a time");
    expect(third.answer.retry_in.count() > 0, "a refusal says to try again at once");
    one.end({.reservation = first.id});
    expect(bool(other.take(claims)), "a request that ended is still in flight");
  }

  void counts_large_amounts() {
    constexpr std::int64_t amount = 1000;
    constexpr std::int64_t step = 50;
    Process process = trial_.process();
    Claim claim = trial_.claim("large", amount, step);
    claim.limit.unit = Unit::cost;
    Milliseconds first{};
    Milliseconds last{};
    for (std::int64_t taken = 0; taken < amount; taken += step) {
      const Try made = process.take({claim});
      expect(bool(made), "less than the amount was granted");
      first = taken == 0 ? made.before : first;
      process.end({.reservation = made.id});
      last = trial_.now();
    }
    claim.units = 1;
    expect_no_room_until(process, {claim}, first + window_);
    claim.units = amount;
    expect_room_from(process, {claim}, last + window_ + window_ / 100);
  }

  void counts_on_arrival() {
    Process process = trial_.process();
    std::vector<Claim> claims{trial_.claim("arrival", 1)};
    claims[0].limit.counted = Counted::on_arrival;
    const Try first = process.take(claims);
    trial_.pass(window_);
    process.end({.reservation = first.id, .arrived_ago = window_ / 2});
    expect_no_room_until(process, claims, first.before + window_ + window_ / 2);
    expect_room_from(process, claims, trial_.now() + window_ / 2);
  }

  void counts_what_may_still_arrive() {
    Process process = trial_.process();
    const std::vector<Claim> claims{trial_.claim("linger", 1)};
    const Try given_up = process.take(claims);
    process.end({.reservation = given_up.id, .answered_ago = -window_});
    expect_no_room_until(process, claims, given_up.before + 2 * window_);
    expect_room_from(process, claims, trial_.now() + window_);
  }

  void keeps_its_own_clock() {
    constexpr std::chrono::hours hour{1};
    for (const Milliseconds skew : {Milliseconds(hour), -Milliseconds(hour)}) {
      Process right = trial_.process();
      Process wrong = trial_.process(skew);
      const std::string name = skew.count() > 0 ? "ahead" : "behind";
      const std::vector<Claim> claims{trial_.claim(name, 2)};
      const Try first = right.take(claims);
      const Try second = wrong.take(claims);
      expect(first && second, "two of two were not granted");
      right.end({.reservation = first.id});
      wrong.end({.reservation = second.id});
      const std::vector<Claim> full{trial_.claim(name, 2)};
      for (Process* process : {&wrong, &right}) {
        const Try third = process->take(full);
        expect(!third || third.after >= first.before + window_, "a clock that is wrong let a third through");
        expect(third || third.answer.retry_in <= window_ + Milliseconds(2),
               "a clock that is wrong is believed");
      }
      const Milliseconds answered = trial_.now();
      expect_room_from(wrong, claims, answered + window_);
      wrong.tell({LedgerNews::Kind::rest, trial_.subject(name), hour * 2, Verdict::rate_limited, ""});
      const std::vector<LedgerNews> heard = right.hear();
      expect(std::any_of(heard.begin(), heard.end(),
                         [&](const LedgerNews& news) {
                           return news.subject == trial_.subject(name) && news.left <= hour * 2 &&
                                  news.left > hour + hour / 2;
                         }),
             "a rest of two hours is not one of two hours for others");
    }
  }

  void is_atomic() {
    constexpr std::int64_t amount = 40;
    constexpr int threads = 8;
    std::vector<Claim> claims{trial_.claim("many", amount), trial_.claim("many too", amount + 1)};
    for (Claim& claim : claims) {
      claim.limit.window = std::chrono::hours(1);
    }
    std::atomic<std::int64_t> granted{0};
    std::vector<std::thread> askers;
    for (int i = 0; i < threads; ++i) {
      askers.emplace_back([&, process = trial_.process()]() mutable {
        try {
          for (std::int64_t tries = 0; tries < amount / 2; ++tries) {
            granted += process.take(claims) ? 1 : 0;
          }
        } catch (...) {
          granted = -1'000'000;
        }
      });
    }
    std::for_each(askers.begin(), askers.end(), [](std::thread& asker) { asker.join(); });
    expect(granted >= 0, "a thread's question was not answered");
    expect(granted <= amount, std::to_string(granted) + " of " + std::to_string(amount) + " were granted");
    expect(granted >= amount || granted < 0, "only " + std::to_string(granted) + " were granted");
    Process process = trial_.process();
    for (const Claim& claim : claims) {
      expect(process.used(claim) == granted, "the counts differ from what was granted");
    }
  }
};

}  // namespace tokenpool::testing::detail
