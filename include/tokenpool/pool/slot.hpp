#pragma once
// The state of one token in the pool: its credential, its rests, what it did. What most tokens of a large
// pool never need lies behind one pointer.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/base/secret.hpp"
#include "tokenpool/base/time.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/pool/candidates.hpp"
#include "tokenpool/pool/rests.hpp"
#include "tokenpool/pool/server_word.hpp"
#include "tokenpool/pool/track_record.hpp"
#include "tokenpool/quota/meter.hpp"

namespace tokenpool {

/// What a request needs of its token. A rotated or removed one lives on until its last lease has ended.
struct Credential {
  std::string token_id{};  ///< which token
  Secret secret{};         ///< what the request shows
  std::string base_url{};  ///< where it goes; empty: the client's
  Headers headers{};       ///< that the token adds
};

namespace detail {

/// A lease as the pool remembers it. Tickets are numbers that grow with each grant.
struct Grant {
  Place place;
  std::int64_t cost = 1;
  std::uint64_t ticket = 0;
  SteadyTime at{};
  const Credential* credential = nullptr;
  bool answered = false;  ///< its answer has begun: the request is counted, what it found out is known
};

/// A credential that its token no longer has, with the leases in flight that still do.
struct Retired {
  std::unique_ptr<const Credential> credential;
  std::uint32_t leases = 0;
};

/// What a token has once it was refused or disabled, or when it has limits of its own.
struct Particulars {
  Rests rests;
  ServerWord server;          ///< what it says it has left
  std::vector<Meter> meters;  ///< of its own limits
  std::string note;           ///< why it is disabled, ejected or rests, in a few words
  std::vector<Retired> retired;
  std::uint8_t forbidden_in_a_row = 0;
  std::uint8_t bare_refusals = 0;  ///< 401 without a code, in a row
};

/// One token's place in the pool.
struct alignas(128) Slot {
  Candidate face;
  std::unique_ptr<const Credential> credential;
  std::unique_ptr<Particulars> particulars;  ///< null while there are none
  TrackRecord record;
  std::uint32_t account = 0;
  std::uint32_t endpoint = 0;
  bool present = false;  ///< in the pool; a removed one stays as long as it has leases in flight
  bool disabled = false;
  bool ejected = false;
  bool available = false;      ///< lies in the dense array
  SlotNumber next_vacant = 0;  ///< of an empty slot: one more than the number of the next one; 0: none

  [[nodiscard]] bool usable() const noexcept { return present && !disabled && !ejected; }

  /// The particulars, made now if there are none. Throws std::bad_alloc.
  [[nodiscard]] Particulars& more() {
    if (!particulars) {
      particulars = std::make_unique<Particulars>();
    }
    return *particulars;
  }

  /// Gives the token another credential under the same id. Throws std::bad_alloc, nothing changed.
  void set_credential(std::unique_ptr<const Credential> renewed) {
    if (face.in_flight != 0) {
      std::uint32_t leases = face.in_flight;
      for (const Retired& older : more().retired) {
        leases -= older.leases;
      }
      more().retired.reserve(more().retired.size() + 1);
      more().retired.push_back({std::move(credential), leases});
    }
    face.id = renewed->token_id;
    credential = std::move(renewed);
  }

  /// A lease with this credential has ended.
  void release(const Credential* used) noexcept {
    --face.in_flight;
    if (particulars && used != credential.get()) {
      std::erase_if(particulars->retired,
                    [used](Retired& older) { return older.credential.get() == used && --older.leases == 0; });
    }
  }

  /// When the token as a whole has rested enough, and has something left by the server's word.
  [[nodiscard]] SteadyTime opens_at() const noexcept {
    return particulars ? (std::max)(particulars->rests.whole().opens_at(), particulars->server.opens_at(0))
                       : (SteadyTime::min)();
  }

  /// The same for `bucket`.
  [[nodiscard]] SteadyTime opens_at(std::uint32_t bucket) noexcept {
    return particulars ? (std::max)(particulars->rests.opens_at(bucket), particulars->server.opens_at(bucket))
                       : (SteadyTime::min)();
  }
};

}  // namespace detail

}  // namespace tokenpool
