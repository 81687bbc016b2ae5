#include "upstream.hpp"

#include <algorithm>
#include <utility>

#include "tokenpool/alerts.hpp"
#include "tokenpool/policy/any_policy.hpp"
#include "tokenpool/tokenpool.hpp"

namespace gateway {

struct Upstream::Client {
  Client(tokenpool::ClientOptions options, const std::string& policy,
         const std::optional<tokenpool::AlertOptions>& alert_options)
      : alerts(alert_options ? std::make_unique<tokenpool::Alerts>(*alert_options) : nullptr),
        pooled(heard(std::move(options)), tokenpool::AnyPolicy(policy)) {
    if (alerts) alerts->watch(pooled);
  }

  tokenpool::ClientOptions heard(tokenpool::ClientOptions options) const {
    if (alerts) options.observer = alerts->observer(std::move(options.observer));
    return options;
  }

  std::unique_ptr<tokenpool::Alerts> alerts;
  tokenpool::Client<tokenpool::AnyPolicy> pooled;
};

Upstream::Upstream(tokenpool::ClientOptions options, const std::string& policy,
                   const std::optional<tokenpool::AlertOptions>& alerts)
    : client_(std::make_unique<Client>(std::move(options), policy, alerts)) {}
Upstream::~Upstream() = default;

void Upstream::send(tokenpool::Request request,
                    std::function<void(tokenpool::Result<tokenpool::Response>)> done) {
  client_->pooled.send_async(std::move(request), std::move(done));
}

tokenpool::PoolSnapshot Upstream::snapshot() const { return client_->pooled.stats(); }
PoolView Upstream::view() const {
  const tokenpool::PoolSnapshot pool = snapshot();
  PoolView view{.json = to_json(pool).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
  for (const tokenpool::TokenSnapshot& token : pool.tokens) {
    if (token.rest) view.rest_ends_in = (std::min)(view.rest_ends_in.value_or(*token.rest), *token.rest);
  }
  return view;
}

bool Upstream::disable(std::string_view id, const std::string& reason) {
  return client_->pooled.pool().disable(id, reason);
}
bool Upstream::enable(std::string_view id) { return client_->pooled.pool().enable(id); }
void Upstream::replace(const std::vector<tokenpool::Token>& tokens) {
  client_->pooled.pool().replace(tokens);
}

}  // namespace gateway
