// A program that computes leases without libcurl and JSON: one token, one request an hour.
#include <chrono>
#include <tokenpool/core.hpp>
#include <utility>
#include <variant>

int main() {
  tokenpool::PoolOptions options;
  options.tokens = {{.secret = "sk-one", .id = "one"}};
  options.limits = {tokenpool::Limit::per_token(1, std::chrono::hours(1))};
  tokenpool::TokenPool<tokenpool::RoundRobin> pool{std::move(options)};

  const tokenpool::Now now{};
  const auto first = pool.acquire({}, now);
  const auto second = pool.acquire({}, now);
  const bool granted_once =
      std::holds_alternative<tokenpool::Lease>(first) && std::holds_alternative<tokenpool::NotUntil>(second);
  return granted_once ? 0 : 1;
}
