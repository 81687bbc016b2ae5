#pragma once
// A ledger's question in the words of the script, and the script's answer as the ledger's.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "tokenpool/base/numbers.hpp"
#include "tokenpool/ledger/redis/command.hpp"
#include "tokenpool/ledger/redis/connection.hpp"
#include "tokenpool/quota/ledger.hpp"

namespace tokenpool::detail {

/// The names of the keys: {PREFIX}:KIND:NAME.
class RedisKeys {
 public:
  explicit RedisKeys(const std::string& prefix) : begin_("{" + prefix + "}:") {}

  [[nodiscard]] std::string shared(std::string_view name) const { return begin_ + std::string(name); }
  [[nodiscard]] std::string place(const Claim& claim) const { return begin_ + "used:" + ledger_key(claim); }
  [[nodiscard]] std::string lease(std::uint64_t reservation) const {
    return begin_ + "lease:" + std::to_string(reservation);
  }

 private:
  std::string begin_;
};

/// What a script is given.
struct RedisArguments {
  RedisCommand keys{};
  RedisCommand words{};
};

/// Lengths and units that a Lua number holds exactly, also as a sum of several.
constexpr std::int64_t fit_for_lua(std::int64_t number) noexcept {
  constexpr std::int64_t most = std::int64_t{1} << 50U;
  return std::clamp(number, -most, most);
}

/// Writes one question.
class RedisQuestion {
 public:
  /// What the store said of itself last, beside what the asker knows.
  struct Store {
    std::uint64_t candidate = 0;  ///< names the epoch if one begins
    std::string_view run_id{};
    std::int64_t leases = 0;  ///< that it has granted in the asker's epoch at the least
  };

  RedisQuestion(const RedisKeys& keys, const LedgerQuestion& question, const Store& store)
      : names_(keys), longest_(longest(question)) {
    for (const char* name : {"state", "facts", "order"}) {
      arguments_.keys.add(names_.shared(name));
    }
    words().add(question.epoch);
    words().add(store.candidate);
    words().add(store.run_id);
    words().add(store.leases);
    words().add(question.heard);
    add(question.fresh_for);
    add(kept_for + longest_);
    add_spent(question.spent);
    add_notes(question.notes);
    add_news(question.news);
    add_lease(question);
  }

  [[nodiscard]] RedisArguments arguments() && { return std::move(arguments_); }

 private:
  using Milliseconds = std::chrono::milliseconds;

  /// How long epoch and ejections are remembered after the last question.
  static constexpr Milliseconds kept_for = std::chrono::hours(24 * 30);

  static Milliseconds longest(const LedgerQuestion& question) {
    Milliseconds length{};
    for (const Claim& claim : question.claims) {
      length = (std::max)(length, Milliseconds(fit_for_lua(claim.limit.window.count())));
    }
    for (const LedgerSpent& spent : question.spent) {
      length = (std::max)(length, Milliseconds(fit_for_lua(spent.expires_in.count())));
    }
    return length + Milliseconds(fit_for_lua(question.lives_for.count()));
  }

  RedisCommand& words() { return arguments_.words; }
  void add(Milliseconds length) { words().add(fit_for_lua(length.count())); }

  void add(const Claim& claim) {
    const bool in_flight = claim.limit.unit == Unit::in_flight;
    arguments_.keys.add(names_.place(claim));
    words().add(fit_for_lua(claim.units));
    words().add(claim.limit.amount);
    add(in_flight ? Milliseconds{} : claim.limit.window);
    words().add(to_string(claim.limit.unit));
    words().add(claim.limit.counted == Counted::on_arrival ? 1 : 0);
  }

  void add_spent(std::span<const LedgerSpent> spent) {
    words().add(spent.size());
    for (const LedgerSpent& one : spent) {
      add(one.claim);
      add(one.expires_in);
      words().add(one.reservation);
      if (one.reservation != 0) {
        arguments_.keys.add(names_.lease(one.reservation));
      }
    }
  }

  void add_notes(std::span<const LedgerNote> notes) {
    words().add(notes.size());
    for (const LedgerNote& note : notes) {
      arguments_.keys.add(names_.lease(note.reservation));
      words().add(note.reservation);
      words().add(note.sent ? 1 : 0);
      words().add(note.cost ? std::to_string((std::max)(fit_for_lua(*note.cost), std::int64_t{0})) : "");
      add(note.answered_ago);
      add(note.arrived_ago);
    }
  }

  void add_news(std::span<const LedgerNews> news) {
    words().add(news.size());
    for (const LedgerNews& one : news) {
      words().add(static_cast<int>(one.kind));
      words().add(one.subject);
      add(one.left);
      words().add(static_cast<int>(one.cause));
      words().add(one.reason);
    }
  }

  void add_lease(const LedgerQuestion& question) {
    words().add(question.reservation);
    if (question.reservation != 0) {
      arguments_.keys.add(names_.lease(question.reservation));
      add((std::max)(question.lives_for, Milliseconds{}));
      words().add(question.claims.size());
      std::for_each(question.claims.begin(), question.claims.end(), [this](const Claim& one) { add(one); });
    }
  }

  const RedisKeys& names_;
  Milliseconds longest_;
  RedisArguments arguments_;
};

/// The number that an element of an answer is, or holds as text; 0 for anything else.
template <class Number>
Number number_in(const redisReply& element) noexcept {
  return element.type == REDIS_REPLY_INTEGER ? static_cast<Number>(element.integer)
                                             : parse_whole<Number>(text_of(element)).value_or(Number{});
}

/// What the script answered.
struct RedisAnswer {
  LedgerAnswer answer{};
  std::int64_t leases = 0;  ///< granted in this epoch so far
};

/// Nothing for what the script cannot have answered.
inline std::optional<RedisAnswer> redis_answer(const redisReply& reply, std::size_t claims) {
  constexpr std::size_t head = 6;
  constexpr std::size_t fact = 5;
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements < head || (reply.elements - head) % fact != 0) {
    return std::nullopt;
  }
  const auto& element = reply.element;
  RedisAnswer read;
  read.answer.granted = number_in<int>(*element[0]) == 1;
  const auto refused = number_in<std::int64_t>(*element[1]);
  read.answer.refused_claim = refused < 0 ? claims : static_cast<std::size_t>(refused);
  read.answer.retry_in = std::chrono::milliseconds(number_in<std::int64_t>(*element[2]));
  read.answer.epoch = number_in<std::uint64_t>(*element[3]);
  read.answer.heard = number_in<std::uint64_t>(*element[4]);
  read.leases = number_in<std::int64_t>(*element[5]);
  for (std::size_t i = head; i < reply.elements; i += fact) {
    const auto kind = number_in<unsigned>(*element[i]);
    const auto cause = number_in<unsigned>(*element[i + 3]);
    if (kind <= static_cast<unsigned>(LedgerNews::Kind::enabled) &&
        cause <= static_cast<unsigned>(Verdict::ambiguous)) {
      read.answer.news.push_back({static_cast<LedgerNews::Kind>(kind), std::string(text_of(*element[i + 1])),
                                  std::chrono::milliseconds(number_in<std::int64_t>(*element[i + 2])),
                                  static_cast<Verdict>(cause), std::string(text_of(*element[i + 4]))});
    }
  }
  if (read.answer.epoch == 0) {
    return std::nullopt;
  }
  return read;
}

}  // namespace tokenpool::detail
