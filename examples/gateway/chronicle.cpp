#include "chronicle.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tokenpool/http/timestamp.hpp"

namespace gateway {
namespace {

using namespace tokenpool;

std::string scope_of(LimitScope scope, const std::string& id) {
  return std::string(to_string(scope)) + (id.empty() ? "" : " " + id);
}

std::string until(const std::string& reason, const std::optional<WallTime>& time) {
  return time ? reason + " (until " + to_rfc3339(*time) + ")" : reason;
}

}  // namespace

tokenpool::Observer Chronicle::observer() {
  return {
      .on_attempt = [this](const AttemptEvent& event) { count(event.attempt); },
      .on_retry =
          [this](const RetryEvent& event) {
            {
              const std::lock_guard lock(mutex_);
              ++current_.retries;
            }
            tell("retry", event.after.token_id, "", event.after.reason);
          },
      .on_rest =
          [this](const RestEvent& event) {
            tell("rest", event.token_id, scope_of(event.scope, event.scope_id),
                 until(event.reason, event.until));
          },
      .on_ejected =
          [this](const EjectedEvent& event) { tell("ejected", event.token_id, "token", event.reason); },
      .on_recovered =
          [this](const RecoveredEvent& event) {
            tell("recovered", event.token_id, scope_of(event.scope, event.scope_id), "served again");
          },
      .on_exhausted = [this](const ExhaustedEvent& event) { tell("exhausted", "", "pool", event.reason); },
      .on_shared_limit =
          [this](const SharedLimitEvent& event) {
            tell("shared_limit", "", scope_of(event.scope, event.scope_id), until(event.reason, event.until));
          },
      .on_warning = [this](const WarningEvent& event) { tell("warning", "", "", event.text); }};
}

void Chronicle::count(const Attempt& attempt) {
  {
    const std::lock_guard lock(mutex_);
    ++current_.requests;
    switch (attempt.verdict) {
      case Verdict::success:
      case Verdict::caller_error: break;
      case Verdict::rate_limited:
      case Verdict::quota_exhausted: ++current_.rate_limited; break;
      case Verdict::token_invalid:
      case Verdict::forbidden:
      case Verdict::server_error:
      case Verdict::overloaded:
      case Verdict::network_error:
      case Verdict::ambiguous: ++current_.failures; break;
    }
  }
  change();
}

void Chronicle::tell(std::string kind, std::string token, std::string scope, std::string text) {
  using namespace std::chrono;
  const auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  {
    const std::lock_guard lock(mutex_);
    news_.push_back({++last_id_, now, std::move(kind), std::move(token), std::move(scope), std::move(text)});
    if (news_.size() > news_kept) news_.pop_front();
  }
  change();
}

void Chronicle::turn_to(std::int64_t now) {
  const std::lock_guard lock(mutex_);
  if (current_.t == 0) current_.t = now - 1;
  // A clock that was set by hours, or a machine that slept, is no reason for hours of nothing.
  current_.t = std::clamp(current_.t, now - static_cast<std::int64_t>(seconds_kept), now);
  while (current_.t < now) {
    seconds_.push_back(std::exchange(current_, Second{.t = current_.t + 1}));
    if (seconds_.size() > seconds_kept) seconds_.pop_front();
  }
}

std::vector<Second> Chronicle::seconds() const {
  const std::lock_guard lock(mutex_);
  return {seconds_.begin(), seconds_.end()};
}

std::vector<News> Chronicle::news(std::uint64_t after) const {
  const std::lock_guard lock(mutex_);
  const auto first =
      std::find_if(news_.begin(), news_.end(), [&](const News& one) { return one.id > after; });
  return {first, news_.end()};
}

void Chronicle::change() const {
  if (changed_) changed_();
}

}  // namespace gateway
