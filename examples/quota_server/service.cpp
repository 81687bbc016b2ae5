#include "service.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "answers.hpp"
#include "connections.hpp"
#include "fields.hpp"

namespace quota_server {
namespace {

using httplib::Request;
using httplib::Response;
using Json = nlohmann::ordered_json;

constexpr int dropped = 0;

int send(Response& response, int status, const std::string& body) {
  response.status = status;
  response.set_content(body, "application/json");
  return status;
}

int send_events(Response& response, std::vector<std::string> events) {
  response.status = 200;
  response.set_chunked_content_provider("text/event-stream",
                                        [events = std::move(events)](std::size_t, httplib::DataSink& sink) {
                                          for (const std::string& event : events) {
                                            if (!sink.write(event.data(), event.size())) return false;
                                          }
                                          sink.done();
                                          return true;
                                        });
  return 200;
}

int chat(const Request& request, Response& response) {
  try {
    const Chat asked = parse_chat(request.body);
    if (asked.stream) return send_events(response, completion_events(asked));
    return send(response, 200, completion(asked));
  } catch (const std::invalid_argument& bad) {
    return send(response, 400, error_body(bad.what(), "invalid_request_error", ""));
  }
}

int list_models(const Request&, Response& response) { return send(response, 200, models()); }

int healthy(const Request&, Response& response) { return send(response, 200, R"({"status":"ok"})"); }

int not_found(const Request& request, Response& response) {
  const std::string asked = request.method + " " + request.path;
  return send(response, 404,
              error_body("Unknown request URL: " + asked + ".", "invalid_request_error", "unknown_url"));
}

int unauthorised(Response& response, const std::string& tail) {
  const std::string message = tail.empty() ? "No API key provided; send it as 'Authorization: Bearer KEY'."
                                           : "Incorrect API key provided: ***" + tail + ".";
  return send(response, 401, error_body(message, "invalid_request_error", "invalid_api_key"));
}

int failed(Response& response) {
  const char* const message = "The server had an error while processing your request.";
  return send(response, 500, error_body(message, "server_error", ""));
}

Json to_json(const Tally& tally) {
  return {{"successes", tally.successes}, {"refused", tally.refused}, {"unauthorised", tally.unauthorised},
          {"failed", tally.failed},       {"dropped", tally.dropped}, {"rejected", tally.rejected}};
}

/// `window` says what counts now; null when the store of the counts cannot.
template <class Window>
Json entry(const char* kind, const std::string& name, const Tally& tally, Window window) {
  Json json = {{kind, name}};
  json.update(to_json(tally));
  try {
    json["window"] = window();
  } catch (const StoreUnavailable&) {
    json["window"] = nullptr;
  }
  return json;
}

}  // namespace

// Each kind of chance has a seed of its own, so that asking for one does not change another.
Service::Service(const Options& options, std::unique_ptr<Store> store, Clock clock)
    : options_(options),
      clock_(std::move(clock)),
      tokens_(options.tokens, options.deaths, options.seed),
      gate_(options.rule, tokens_, std::move(store), clock_),
      faults_(options.faults, options.seed + 1),
      counts_(options.tokens.size()),
      log_(options.log) {}

void Service::attach(httplib::Server& server) {
  const auto with_meter = [this](Answer answer) {
    return [this, answer = std::move(answer)](const Request& request, Response& response) {
      metered(request, response, answer);
    };
  };
  const auto without_meter = [this](Answer answer) {
    return [this, answer = std::move(answer)](const Request& request, Response& response) {
      unmetered(request, response, answer);
    };
  };
  server.Post("/v1/chat/completions", with_meter(chat));
  server.Get("/v1/models", with_meter(list_models));
  server.Get("/healthz", without_meter(healthy));
  server.Get("/_counts", without_meter([this](const Request&, Response& response) {
               return send(response, 200, counts_json());
             }));
  const auto unknown = without_meter(not_found);
  server.Get(".*", unknown).Post(".*", unknown).Put(".*", unknown).Patch(".*", unknown);
  server.Delete(".*", unknown).Options(".*", unknown);
  server.set_post_routing_handler(
      [this](const Request&, Response& response) { response.set_header("Date", http_date(clock_())); });
}

void Service::metered(const Request& request, Response& response, const Answer& answer) {
  const Credential credential = tokens_.pick(request.get_header_value("Authorization"));
  int status = 0;
  try {
    status = ruled(request, response, credential, answer);
  } catch (const StoreUnavailable& silent) {
    status = send(response, 503, error_body(silent.what(), "server_error", "store_unavailable"));
  }
  counts_.add(credential.token, ip_of(request), status);
  log(request, credential, status);
  if (status == dropped) drop_connection(request);
}

void Service::unmetered(const Request& request, Response& response, const Answer& answer) {
  log(request, {}, answer(request, response));
}

int Service::ruled(const Request& request, Response& response, const Credential& credential,
                   const Answer& answer) {
  const Fault fault = faults_.draw();
  const bool at_answer = options_.count_when == CountWhen::answer;
  if (at_answer) {
    pause_.sleep(faults_.latency());
    if (fault == Fault::drop) return dropped;  // never answered, so never counted
  }
  const Ruling ruling = gate_.admit(credential.token, ip_of(request));
  if (ruling.outcome == Outcome::unauthorised) return unauthorised(response, credential.tail);
  if (ruling.outcome == Outcome::refused) return refuse(response, ruling);
  if (!at_answer) pause_.sleep(faults_.latency());
  if (fault == Fault::drop) return dropped;
  if (fault == Fault::fail) return failed(response);
  return answer(request, response);
}

int Service::refuse(Response& response, const Ruling& ruling) const {
  if (const auto header = retry_after(options_.retry_after, ruling.now, ruling.free_at)) {
    response.set_header(header->first, header->second);
  }
  if (options_.scope_header) response.set_header("X-RateLimit-Scope", to_string(ruling.scope));
  const std::string message = std::string("Rate limit reached for this ") + to_string(ruling.scope) + ": " +
                              std::to_string(options_.quota.amount) + " requests per " +
                              to_text(options_.quota.window) + ".";
  return send(response, 429, error_body(message, "requests", "rate_limit_exceeded"));
}

std::string Service::counts_json() {
  const Counts::Snapshot counted = counts_.read();
  Json tokens = Json::array();
  for (std::size_t index = 0; index < counted.tokens.size(); ++index) {
    tokens.push_back(entry("token", tail(tokens_.value(index)), counted.tokens[index],
                           [&] { return gate_.used_by_token(index); }));
  }
  Json ips = Json::array();
  for (const auto& counted_ip : counted.ips) {
    ips.push_back(
        entry("ip", counted_ip.first, counted_ip.second, [&] { return gate_.used_by_ip(counted_ip.first); }));
  }
  return Json{{"limit", options_.quota.amount},
              {"window_ms", options_.quota.window.count()},
              {"tokens", std::move(tokens)},
              {"ips", std::move(ips)},
              {"total", to_json(counted.total)}}
      .dump();
}

std::string Service::ip_of(const Request& request) const {
  if (options_.trust_forwarded) {
    const std::vector<std::string> route = split_tokens(request.get_header_value("X-Forwarded-For"));
    if (!route.empty()) return route.front();
  }
  return request.remote_addr;
}

void Service::log(const Request& request, const Credential& credential, int status) {
  log_.write({clock_(), credential.tail, ip_of(request), request.method, request.path, status});
}

}  // namespace quota_server
