#include "gateway.hpp"

#include <boost/asio/post.hpp>
#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "forwarding.hpp"
#include "page.hpp"

namespace gateway {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

/// Answers that are no success are collected before they are passed on.
constexpr std::size_t most_collected = std::size_t{8} << 20U;

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

tokenpool::ClientOptions client_options(const Configuration& configuration, Chronicle& chronicle,
                                        const Metrics& metrics) {
  tokenpool::ClientOptions options = configuration.client;
  options.user_agent.clear();  // the client's own passes
  options.http.max_response_bytes = most_collected;
  options.observer = metrics.observer(chronicle.observer());
  return options;
}

/// What the page is told once.
std::string about(const Configuration& configuration) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return text_of({{"started_ms", std::chrono::duration_cast<std::chrono::milliseconds>(now).count()},
                  {"policy", configuration.policy},
                  {"base_url", configuration.client.base_url}});
}

/// `text` with its %XX decoded; what is none stays.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto high =
        text[i] == '%' && i + 2 < text.size() ? tokenpool::detail::hex_digit(text[i + 1]) : std::nullopt;
    const auto low = high ? tokenpool::detail::hex_digit(text[i + 2]) : std::nullopt;
    decoded += low ? static_cast<char>(*high * 16 + *low) : text[i];
    i += low ? 2 : 0;
  }
  return decoded;
}

Reply not_allowed(const char* allowed) {
  Reply reply = error_reply(405, std::string("here only ") + allowed + " is understood",
                            "invalid_request_error", "method_not_allowed");
  reply.headers.add("Allow", allowed);
  return reply;
}

}  // namespace

Gateway::Gateway(std::string configuration)
    : path_(std::move(configuration)),
      configuration_(read_configuration(path_)),
      log_(configuration_.log),
      budget_(configuration_.bounds.max_buffered_bytes),
      chronicle_([this] { live_.changed(); }),
      metrics_([this] { return upstream_.snapshot(); }),
      live_(
          context_, chronicle_, [this] { return upstream_.view(); }, about(configuration_)),
      upstream_(client_options(configuration_, chronicle_, metrics_), configuration_.policy,
                configuration_.alerts),
      watch_(context_, [this] { reload(); }),
      signals_(context_),
      grace_(context_) {
  listener_.emplace(context_, configuration_.listen, configuration_.port, *this, crowd_, budget_);
  watch_.set_files(configuration_.files);
  for (const std::string& warning : configuration_.warnings) log_.note("warning: " + warning);
  configuration_.client.tokens.clear();  // the pool has them
}

Gateway::~Gateway() { crowd_.expel_all(); }

std::string Gateway::url() const {
  const bool v6 = configuration_.listen.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + configuration_.listen + "]" : configuration_.listen) + ":" +
         std::to_string(port());
}

void Gateway::heed_signals() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
  await_signal();
}

bool Gateway::run() {
  listener_->start();
  context_.run();
  return whole_;
}

void Gateway::await_signal() {
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload();
    } else {
      drain();
    }
    await_signal();
  });
}

void Gateway::stop() {
  boost::asio::post(context_, [this] { drain(); });
}

void Gateway::drain() {
  if (std::exchange(draining_, true)) return end(false);
  log_.note("ending: " + std::to_string(crowd_.busy()) + " requests are under way");
  listener_->stop();
  watch_.stop();
  live_.stop();
  grace_.expires_after(configuration_.grace);
  grace_.async_wait([this](boost::system::error_code stopped) {
    if (!stopped) end(false);
  });
  crowd_.when_calm([this] { boost::asio::post(context_, [this] { end(true); }); });
}

/// The last thing: whoever is still connected is no more.
void Gateway::end(bool whole) {
  if (context_.stopped()) return;
  whole_ = whole;
  if (!whole) log_.note("ended before " + std::to_string(crowd_.busy()) + " requests were answered");
  crowd_.expel_all();
  context_.stop();
}

void Gateway::reload() {
  try {
    Configuration fresh = read_configuration(path_);
    if (fresh.access_tokens.empty() && !is_loopback_address(configuration_.listen)) {
      throw std::runtime_error(path_ + ": access_tokens is empty, but this gateway listens on " +
                               configuration_.listen + ": name some, or start it anew on 127.0.0.1");
    }
    apply(std::move(fresh));
  } catch (const std::exception& error) {
    const std::string text =
        std::string("the new configuration is unfit, the old one stays in force: ") + error.what();
    log_.note(text);
    chronicle_.tell("warning", "", "", text);
  }
}

void Gateway::apply(Configuration fresh) {
  upstream_.replace(fresh.client.tokens);
  std::string text =
      "the configuration was read anew: " + std::to_string(fresh.client.tokens.size()) + " tokens";
  for (const auto& [field, value] : fresh.fixed) {
    if (configuration_.fixed.at(field) != value)
      text += "; " + field + " changes only when the gateway is started anew";
  }
  for (const std::string& warning : fresh.warnings) log_.note("warning: " + warning);
  configuration_.access_tokens = std::move(fresh.access_tokens);
  configuration_.affinity = std::move(fresh.affinity);
  const std::uint64_t buffered = configuration_.bounds.max_buffered_bytes;
  configuration_.bounds = fresh.bounds;
  configuration_.bounds.max_buffered_bytes = buffered;
  configuration_.grace = fresh.grace;
  log_.set_calls(fresh.log);
  watch_.set_files(fresh.files);
  log_.note(text);
  chronicle_.tell("reloaded", "", "pool", text);
}

std::optional<Reply> Gateway::objection(const Inbound& head) {
  return gateway::objection(head, configuration_.access_tokens);
}

std::shared_ptr<Source> Gateway::answer(Inbound request, bool keep_alive, Wake wake) {
  if (area_of(request.path()) == Area::proxied)
    return pass_on(std::move(request), keep_alive, std::move(wake));
  if (request.path() == "/tokenpool/live" && request.method == "GET" && !draining_) {
    return live_.feed(request, std::move(wake));
  }
  return std::make_shared<Whole>(reply_text(own_reply(request), request, keep_alive), keep_alive);
}

std::shared_ptr<Source> Gateway::pass_on(Inbound request, bool keep_alive, Wake wake) {
  if (draining_) {
    const Reply reply =
        error_reply(503, "the gateway is ending: ask again when it is back", "server_error", "draining");
    return std::make_shared<Whole>(reply_text(reply, request, false), false);
  }
  auto on_end = [this, method = request.method, path = std::string(request.path()),
                 began = steady_clock::now()](const CallEnd& end) { log_call(method, path, began, end); };
  const auto relay = std::make_shared<Relay>(Relay::Options{.head_only = request.method == "HEAD",
                                                            .http_1_0 = request.http_1_0,
                                                            .keep_alive = keep_alive,
                                                            .wake = std::move(wake),
                                                            .on_end = std::move(on_end)});
  relay->start(upstream_, outbound(std::move(request), configuration_.affinity));
  live_.changed();
  return relay;
}

void Gateway::log_call(const std::string& method, const std::string& path, steady_clock::time_point began,
                       const CallEnd& end) {
  live_.changed();
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began).count();
  log_.call(method + " " + path + " " + std::to_string(end.status) + " " + std::to_string(took) +
            "ms token=" + (end.token_id.empty() ? "-" : end.token_id) +
            " attempts=" + std::to_string(end.attempts) + (end.error.empty() ? "" : " error=" + end.error) +
            (end.cut ? " cut" : ""));
}

Reply Gateway::own_reply(const Inbound& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const std::string_view path = request.path();
  if (path.starts_with("/tokenpool/tokens/"))
    return request.method == "POST" ? switch_token(request) : not_allowed("POST");
  if (!reads) return not_allowed("GET, HEAD");
  if (const PageFile* file = page_file(path)) return page_reply(*file);
  if (path == "/healthz") return health();
  if (path == "/metrics") {
    return {200,
            {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}, {"Cache-Control", "no-store"}},
            metrics_.text()};
  }
  return error_reply(404, "the gateway has no such page", "invalid_request_error", "not_found");
}

/// Well as long as some token could serve, be it after a rest.
Reply Gateway::health() const {
  const tokenpool::PoolTotals pool = upstream_.snapshot().pool;
  const bool well = !draining_ && pool.available + pool.resting > 0;
  return json_reply(well ? 200 : 503, text_of({{"status", draining_ ? "draining"
                                                          : well    ? "ok"
                                                                    : "no_tokens"},
                                               {"available", pool.available},
                                               {"resting", pool.resting},
                                               {"ejected", pool.ejected},
                                               {"disabled", pool.disabled},
                                               {"waiting", pool.waiting}}));
}

/// POST /tokenpool/tokens/{id}/disable and /enable.
Reply Gateway::switch_token(const Inbound& request) {
  constexpr std::string_view folder = "/tokenpool/tokens/";
  const std::string_view rest = request.path().substr(folder.size());
  const std::size_t slash = rest.rfind('/');
  const std::string_view verb = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
  const std::string id = percent_decoded(rest.substr(0, slash));
  if (verb != "disable" && verb != "enable") {
    return error_reply(404, "a token can be disabled and enabled, nothing else", "invalid_request_error",
                       "not_found");
  }
  const std::string reason = text_members(request.body, "reason", "").first;
  const std::string text = reason.empty() ? "by hand" : reason.substr(0, 200);
  if (!(verb == "enable" ? upstream_.enable(id) : upstream_.disable(id, text))) {
    return error_reply(404, "there is no token of this id", "invalid_request_error", "token_not_found");
  }
  chronicle_.tell(std::string(verb) + "d", id, "token", verb == "enable" ? "by hand" : text);
  return {204, {{"Cache-Control", "no-store"}}, ""};
}

}  // namespace gateway
