#pragma once
// The state of one token in the pool: its credential, its rests, what it did.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/base/secret.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/pool/candidates.hpp"
#include "tokenpool/quota/meter.hpp"
#include "tokenpool/quota/rest.hpp"

namespace tokenpool {

/// What a request needs of its token. Shared with the leases in flight, so that a rotated or removed token
/// lives on for them.
struct Credential {
  std::string token_id{};
  Secret secret{};
  std::string base_url{};
  Headers headers{};
};

namespace detail {

/// A lease as the pool remembers it. Tickets are numbers that grow with each grant.
struct Grant {
  Place place;
  std::int64_t cost = 1;
  std::uint64_t ticket = 0;
};

/// A rest of one token for one bucket.
struct BucketRest {
  std::uint32_t bucket = 0;
  Rest rest;
};

/// What happened to the requests of a token or an egress.
struct Tally {
  std::uint64_t requests = 0;
  std::uint64_t successes = 0;
  std::uint64_t rate_limited = 0;
  std::uint64_t failures = 0;
};

/// One token's place in the pool.
struct Slot {
  Candidate face;
  std::shared_ptr<const Credential> credential;
  std::uint32_t account = 0;
  std::uint32_t endpoint = 0;

  bool present = false;  ///< in the pool; a removed one stays as long as it has leases in flight
  bool disabled = false;
  bool ejected = false;
  std::uint8_t forbidden_in_a_row = 0;
  std::uint8_t bare_refusals = 0;  ///< 401 without a code, in a row
  std::string note;                ///< why it is disabled, ejected or rests, in a few words

  Rest rest;
  std::vector<BucketRest> bucket_rests;
  std::vector<Meter> own_meters;
  Tally tally;

  [[nodiscard]] bool usable() const noexcept { return present && !disabled && !ejected; }

  /// The rest that covers `bucket` alone; null if there is none.
  [[nodiscard]] Rest* rest_of(std::uint32_t bucket) noexcept {
    for (BucketRest& entry : bucket_rests) {
      if (entry.bucket == bucket) {
        return &entry.rest;
      }
    }
    return nullptr;
  }

  /// The rest to which a refusal in `bucket` goes: bucket 0 (none named) is the whole token.
  [[nodiscard]] Rest& rest_for(std::uint32_t bucket) {
    if (bucket == 0) {
      return rest;
    }
    if (Rest* known = rest_of(bucket)) {
      return *known;
    }
    return bucket_rests.emplace_back(BucketRest{bucket, Rest{}}).rest;
  }
};

}  // namespace detail

}  // namespace tokenpool
