#pragma once
// What all processes together have used, for a snapshot: a pool knows its own part alone.

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "tokenpool/pool/snapshot.hpp"
#include "tokenpool/quota/ledger.hpp"

namespace tokenpool::detail {

/// Puts the ledger's counts in place of the pool's. When the ledger cannot be asked those of the pool stay.
class SharedCounts {
 public:
  explicit SharedCounts(PoolSnapshot& snapshot) {
    for (TokenSnapshot& token : snapshot.tokens) {
      const std::string& account = token.account.empty() ? token.id : token.account;
      for (LimitUse& use : token.limits) {
        const bool by_account = std::string_view(use.scope).find("account") != std::string_view::npos;
        add(use, "token=" + token.id + (by_account ? " account=" + account : ""));
      }
    }
    for (AccountSnapshot& account : snapshot.accounts) {
      for (LimitUse& use : account.limits) {
        add(use, "account=" + account.id);
      }
    }
    for (EgressSnapshot& egress : snapshot.egresses) {
      for (LimitUse& use : egress.limits) {
        add(use, use.scope == "pool" ? use.scope : "egress=" + egress.id);
      }
    }
  }

  void read(Ledger& ledger) noexcept {
    try {
      const std::vector<LedgerCount> counts = ledger.read(places_);
      for (std::size_t i = 0; i < counts.size() && i < uses_.size(); ++i) {
        uses_[i]->used = counts[i].used;
        uses_[i]->resets_in.reset();
        if (counts[i].used != 0) {
          uses_[i]->resets_in = counts[i].resets_in;
        }
      }
    } catch (...) {  // a person looks at it most likely because something is down
    }
  }

 private:
  void add(LimitUse& use, std::string place) {
    uses_.push_back(&use);
    places_.push_back({std::move(place), {.amount = use.amount, .window = use.window, .unit = use.unit}});
  }

  std::vector<LimitUse*> uses_;
  std::vector<Claim> places_;
};

}  // namespace tokenpool::detail
