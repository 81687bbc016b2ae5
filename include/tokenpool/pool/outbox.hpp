#pragma once
// News that waits for somebody who travels to the ledger.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/ledger.hpp"

namespace tokenpool::detail {

/// What a pool has learnt and not told yet. Not thread-safe.
class Outbox {
 public:
  [[nodiscard]] bool empty() const noexcept { return letters_.empty(); }

  /// `until` is when a rest ends. Of one subject the last word on a rest tells all, and a person's word ends
  /// what was said before.
  void add(LedgerNews news, SteadyTime until) {
    using Kind = LedgerNews::Kind;
    const auto on_rest = [](Kind kind) { return kind == Kind::rest || kind == Kind::ended; };
    std::erase_if(letters_, [&](const Letter& other) {
      return other.news.subject == news.subject &&
             (other.news.kind == news.kind || news.kind == Kind::enabled ||
              (on_rest(news.kind) && on_rest(other.news.kind)));
    });
    letters_.push_back({std::move(news), until});
  }

  /// What could not be told comes before what was learnt since.
  void put_back(const std::vector<LedgerNews>& news, SteadyTime now) {
    const std::vector<Letter> since = std::exchange(letters_, {});
    for (const LedgerNews& old : news) {
      add(old, after(now, old.left));
    }
    for (const Letter& letter : since) {
      add(letter.news, letter.until);
    }
  }

  /// All of it, as it is told at `now`; then there is none.
  std::vector<LedgerNews> take(SteadyTime now) {
    std::vector<LedgerNews> told;
    for (Letter& letter : std::exchange(letters_, {})) {
      letter.news.left =
          std::chrono::ceil<std::chrono::milliseconds>((std::max)(letter.until - now, Duration{}));
      told.push_back(std::move(letter.news));
    }
    return told;
  }

 private:
  struct Letter {
    LedgerNews news;
    SteadyTime until;
  };

  std::vector<Letter> letters_;
};

}  // namespace tokenpool::detail
