#pragma once
// One easy handle with all that a transfer needs around it: the blocking and the asynchronous transport
// differ only in who drives it.

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tokenpool/transport/curl/callbacks.hpp"
#include "tokenpool/transport/curl/errors.hpp"
#include "tokenpool/transport/curl/handle.hpp"
#include "tokenpool/transport/curl/options.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool::detail::curl {

/// What decides the options of a handle, but for the body's bytes and the headers. A request that starts from
/// a handle set up for the same is as good as one from a reset handle, and a seventh cheaper.
struct Setup {
  std::uint64_t settings = 0;
  std::string url{};
  std::string method{};
  std::string source{};
  std::optional<std::string> proxy{};
  bool plain_body = false;
  bool has_body = false;
  bool fresh_connection = false;

  [[nodiscard]] bool fits(const TransportRequest& request) const noexcept {
    return settings != 0 && settings == request.settings && plain_body && request.body.plain() &&
           has_body == !request.body.empty() && fresh_connection == request.fresh_connection &&
           url == request.url && method == request.method && source == request.source &&
           proxy == request.proxy;
  }
};

/// An easy handle and its transfer. Used by one call at a time; never moves, since libcurl knows its address.
class Exchanger {
 public:
  Exchanger() : easy_(made(curl_easy_init())), url_(made(curl_url())) {}
  Exchanger(const Exchanger&) = delete;
  Exchanger& operator=(const Exchanger&) = delete;

  [[nodiscard]] CURL* easy() const noexcept { return easy_.get(); }
  [[nodiscard]] Transfer& transfer() noexcept { return transfer_; }

  /// Takes connections from `share` instead of the multi handle; null: from the multi handle.
  void draw_from(CURLSH* share) {
    if (std::exchange(share_, share) != share) {
      curl_easy_setopt(easy_.get(), CURLOPT_SHARE, share);
    }
  }

  /// Sets everything up; what this libcurl cannot do comes back as a failure.
  std::optional<TransportFailure> prepare(const TransportRequest& request) {
    begin(request);
    if (!request.body.rewind()) {
      return TransportFailure{FailureKind::body, false, "the body cannot be sent again"};
    }
    headers_.assign(request.headers, traits_of_body(request, transfer_.sends_body));
    OptionSetter options(easy_.get());
    if (setup_.fits(request)) {
      set_text_body(options, transfer_, request);
    } else if (auto unfit = set_up(options, request)) {
      return unfit;
    }
    options.set(CURLOPT_HTTPHEADER, headers_.list(), "headers");
    if (options.refused()) {
      setup_ = Setup{};
      return TransportFailure{FailureKind::unfit, false, "libcurl refuses " + *options.refused()};
    }
    return std::nullopt;
  }

  /// Why the transfer has to be stopped at `now`, if it has to; it is not complete.
  std::optional<TransportFailure> overdue(const TransportRequest& request, SteadyTime now) {
    const bool sent = transfer_.times_sent != 0;
    if (now >= request.deadline) {
      return TransportFailure{FailureKind::deadline, sent, {}};
    }
    if (now >= silence_ends(request, now)) {
      return TransportFailure{FailureKind::lost, sent,
                              answering() ? "the answer fell silent for longer than timeouts.idle"
                              : uploading()
                                  ? "the server took nothing of the body for longer than timeouts.idle"
                                  : "no answer began within timeouts.first_byte"};
    }
    return std::nullopt;
  }

  /// Does what is due at `now`: ends a pause, stops what is overdue. Whether the transfer is over by that,
  /// though libcurl has not come to its end.
  bool attend(const TransportRequest& request, SteadyTime now) {
    if (transfer_.flow.ends_pause(now)) {
      transfer_.last_byte_at = now;
      const CURLcode code = curl_easy_pause(easy_.get(), CURLPAUSE_CONT);  // calls on_body
      if (code != CURLE_OK && !ended()) {
        transfer_.stopped = TransportFailure{failure_kind(code, true), true, failure_text(code, "")};
      }
    }
    if (!ended() && !transfer_.flow.over(now)) {
      transfer_.stopped = overdue(request, now);
    }
    return ended();
  }

  /// Whether there is nothing more to transfer, by our own decision.
  [[nodiscard]] bool ended() const noexcept {
    return transfer_.stopped || transfer_.thrown || transfer_.flow.over();
  }

  /// When attend() has to be called again at the latest.
  SteadyTime next_check(const TransportRequest& request, SteadyTime now) {
    return (std::min)({request.deadline, silence_ends(request, now), transfer_.flow.next_check()});
  }

  /// What became of the transfer, `code` being libcurl's word on it.
  Exchange finish(CURLcode code) {
    Exchange exchange;
    exchange.failure = failure_of(code);
    const SteadyTime now = std::chrono::steady_clock::now();
    exchange.sent = transfer_.times_sent != 0;
    exchange.resent = transfer_.times_sent > 1;
    exchange.answered_at = answering() && transfer_.header_complete ? transfer_.header_complete_at : now;
    exchange.timing = timing(now - started_);
    exchange.answer = std::move(transfer_.answer);
    if (exchange.failure) {
      setup_ = Setup{};
    }
    return exchange;
  }

 private:
  void begin(const TransportRequest& request) {
    started_ = std::chrono::steady_clock::now();
    error_text_[0] = '\0';
    uploaded_ = 0;
    upload_seen_at_ = SteadyTime{};
    transfer_ = Transfer{};
    transfer_.body = &request.body;
    transfer_.flow = Flow(request.sink);
    transfer_.easy = easy_.get();
    transfer_.sends_body = sends_body(request);
    transfer_.max_header_bytes = request.http.max_header_bytes;
    transfer_.max_body_bytes = request.max_response_bytes;
  }

  std::optional<TransportFailure> set_up(OptionSetter& options, const TransportRequest& request) {
    setup_ = Setup{};
    curl_easy_reset(easy_.get());
    if (curl_url_set(url_.get(), CURLUPART_URL, request.url.c_str(), 0) != CURLUE_OK) {
      return TransportFailure{FailureKind::unfit, false, "libcurl does not take the URL"};
    }
    mime_.reset();
    resolve_.reset();
    for (const std::string& entry : request.http.resolve) {
      append(resolve_, entry);
    }
    set_callbacks(options, transfer_, error_text_.data());
    set_method(options, transfer_, request);
    if (request.body.parts() != nullptr) {
      mime_ = multipart(options, easy_.get(), *request.body.parts());
    }
    set_tls(options, request.tls);
    set_route(options, request);
    options.set(CURLOPT_CURLU, url_.get(), "URL");
    if (resolve_) {
      options.set(CURLOPT_RESOLVE, resolve_.get(), "http.resolve");
    }
    setup_ = {request.settings, request.url,          request.method,        request.source,
              request.proxy,    request.body.plain(), !request.body.empty(), request.fresh_connection};
    return std::nullopt;
  }

  /// Interim answers do not count: the server may think for long after "100 Continue".
  [[nodiscard]] bool answering() const noexcept { return transfer_.answer.status >= 200; }

  /// Whether bytes of the body have still to go out, as far as that can be known: libcurl alone knows the
  /// size of a multipart body.
  [[nodiscard]] bool uploading() const noexcept {
    const std::optional<std::uint64_t> size = transfer_.body->size();
    if (!transfer_.sends_body || transfer_.body->parts() != nullptr) {
      return false;
    }
    return size ? uploaded_ < static_cast<curl_off_t>(*size) : !transfer_.produced_all;
  }

  /// When the server has been silent for too long; the end of time where no limit applies. While the body
  /// goes out and while the answer comes in that is timeouts.idle, between the two timeouts.first_byte.
  SteadyTime silence_ends(const TransportRequest& request, SteadyTime now) {
    if (transfer_.times_sent == 0 || transfer_.flow.paused()) {
      return end_of_time;
    }
    note_upload(now);
    const std::chrono::milliseconds limit =
        answering() || uploading() ? request.timeouts.idle : request.timeouts.first_byte;
    return limit.count() == 0 ? end_of_time
                              : after((std::max)(transfer_.last_byte_at, upload_seen_at_), limit);
  }

  void note_upload(SteadyTime now) {
    curl_off_t uploaded = 0;
    if (transfer_.sends_body) {
      curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_UPLOAD_T, &uploaded);
    }
    if (uploaded != uploaded_ || upload_seen_at_ == SteadyTime{}) {
      uploaded_ = uploaded;
      upload_seen_at_ = now;
    }
  }

  std::optional<TransportFailure> failure_of(CURLcode code) {
    if (transfer_.stopped) {
      return std::move(transfer_.stopped);
    }
    if ((code == CURLE_OK && transfer_.header_complete) || transfer_.flow.over()) {
      return std::nullopt;
    }
    const bool sent = transfer_.times_sent != 0;
    if (code == CURLE_OK) {
      // libcurl takes the end of the connection for the end of the header, too.
      return TransportFailure{FailureKind::lost, sent, "the connection ended within the answer's header"};
    }
    TransportFailure failure{failure_kind(code, sent, error_text_.data()), sent,
                             failure_text(code, error_text_.data())};
    if (failure.kind == FailureKind::tls && before_the_tunnel()) {
      failure.kind = FailureKind::proxy;
      failure.detail.insert(0, "at the proxy of this egress: ");
    }
    return failure;
  }

  /// Whether the only handshake so far was that with an https proxy.
  bool before_the_tunnel() {
    long answer_to_connect = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_CONNECTCODE, &answer_to_connect);
    return answer_to_connect == 0 && setup_.proxy && setup_.proxy->starts_with("https:");
  }

  Timing timing(Duration total) {
    curl_off_t connected = 0;
    curl_off_t first_byte = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &connected);
    curl_easy_getinfo(easy_.get(), CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
    return {std::chrono::microseconds(connected), std::chrono::microseconds(first_byte),
            std::chrono::duration_cast<std::chrono::microseconds>(total)};
  }

  Easy easy_;
  Url url_;
  HeaderLines headers_;
  List resolve_;
  Mime mime_;
  CURLSH* share_ = nullptr;
  Setup setup_;
  Transfer transfer_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  SteadyTime started_{};
  curl_off_t uploaded_ = 0;
  SteadyTime upload_seen_at_{};
};

}  // namespace tokenpool::detail::curl
