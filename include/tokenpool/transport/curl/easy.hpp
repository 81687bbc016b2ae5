#pragma once
// The blocking transport: a call checks out a warm channel (an easy handle in a multi of its own, with its
// connections) and gives it back. Connections are never shared between concurrent calls; libcurl forbids it
// between threads.

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/transport/curl/callbacks.hpp"
#include "tokenpool/transport/curl/errors.hpp"
#include "tokenpool/transport/curl/global.hpp"
#include "tokenpool/transport/curl/handle.hpp"
#include "tokenpool/transport/curl/options.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool::curl {

/// One easy handle in one multi handle: poll can be woken by another thread, which curl_easy_perform cannot.
/// Used by one call at a time.
class Channel {
 public:
  Channel() : multi_(made(curl_multi_init())), easy_(made(curl_easy_init())), url_(made(curl_url())) {}

  /// Throws what the body's producer throws, or std::bad_alloc.
  Exchange run(const TransportRequest& request, Interrupt& interrupt) {
    Transfer transfer;
    const SteadyTime started = std::chrono::steady_clock::now();
    std::optional<TransportFailure> unfit = prepare(request, transfer);
    if (unfit) {
      return finished(transfer, started, std::move(unfit));
    }
    CURLcode code = CURLE_OK;
    {
      const Interrupt::Attachment attachment(interrupt, &Channel::wake, multi_.get());
      const Added added(multi_.get(), easy_.get());
      code = drive(request, transfer, interrupt);
    }
    if (transfer.thrown) {
      std::rethrow_exception(transfer.thrown);
    }
    return finished(transfer, started, failure_of(code, transfer));
  }

 private:
  /// Keeps the easy handle in the multi handle for the time of a transfer.
  class Added {
   public:
    Added(CURLM* multi, CURL* easy) : multi_(multi), easy_(easy) { curl_multi_add_handle(multi_, easy_); }
    Added(const Added&) = delete;
    Added& operator=(const Added&) = delete;
    ~Added() { curl_multi_remove_handle(multi_, easy_); }

   private:
    CURLM* multi_;
    CURL* easy_;
  };

  static void wake(void* multi) noexcept { curl_multi_wakeup(multi); }

  /// Sets everything up; what this libcurl cannot do comes back as a failure.
  std::optional<TransportFailure> prepare(const TransportRequest& request, Transfer& transfer) {
    curl_easy_reset(easy_.get());
    error_text_[0] = '\0';
    transfer.body = &request.body;
    transfer.max_header_bytes = request.http.max_header_bytes;
    transfer.max_body_bytes = request.max_response_bytes;
    if (!request.body.rewind()) {
      return TransportFailure{FailureKind::body, false, "the body cannot be sent again"};
    }
    if (!set_url(request.url)) {
      return TransportFailure{FailureKind::unfit, false, "libcurl does not take the URL"};
    }
    headers_ = header_list(request.headers);
    resolve_.reset();
    for (const std::string& entry : request.http.resolve) {
      append(resolve_, entry);
    }
    OptionSetter options(easy_.get());
    set_callbacks(options, transfer, error_text_.data());
    set_method(options, transfer, request);
    set_tls(options, request.tls);
    set_route(options, request);
    options.set(CURLOPT_CURLU, url_.get(), "URL");
    options.set(CURLOPT_HTTPHEADER, headers_.get(), "headers");
    if (resolve_) {
      options.set(CURLOPT_RESOLVE, resolve_.get(), "http.resolve");
    }
    if (options.refused()) {
      return TransportFailure{FailureKind::unfit, false, "this libcurl refuses " + *options.refused()};
    }
    return std::nullopt;
  }

  /// A URL is taken apart once: calls mostly go to the same one, and it is a fifth of a request's work.
  bool set_url(const std::string& url) {
    if (url != url_text_) {
      url_text_.clear();
      if (curl_url_set(url_.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
        return false;
      }
      url_text_ = url;
    }
    return true;
  }

  CURLcode drive(const TransportRequest& request, Transfer& transfer, Interrupt& interrupt) {
    for (int running = 1; running != 0;) {
      if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) {
        transfer.stopped = TransportFailure{FailureKind::lost, transfer.times_sent != 0,
                                            "libcurl lost track of the transfer"};
      }
      if (running != 0 && !transfer.stopped) {
        transfer.stopped = reason_to_stop(request, transfer, interrupt);
      }
      if (transfer.stopped || transfer.thrown) {
        return CURLE_OK;
      }
      if (running != 0) {
        curl_multi_poll(multi_.get(), nullptr, 0, pause(request, transfer), nullptr);
      }
    }
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi_.get(), &left);
    return message != nullptr ? message->data.result : CURLE_OK;
  }

  std::optional<TransportFailure> reason_to_stop(const TransportRequest& request, Transfer& transfer,
                                                 Interrupt& interrupt) {
    const bool sent = transfer.times_sent != 0;
    if (interrupt.cancelled()) {
      return TransportFailure{FailureKind::cancelled, sent, {}};
    }
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now >= request.deadline) {
      return TransportFailure{FailureKind::deadline, sent, {}};
    }
    if (now >= silence_ends(request, transfer)) {
      return TransportFailure{FailureKind::lost, sent,
                              answering(transfer) ? "the answer fell silent for longer than timeouts.idle"
                                                  : "no answer began within timeouts.first_byte"};
    }
    return std::nullopt;
  }

  [[nodiscard]] static bool answering(const Transfer& transfer) noexcept {
    return transfer.last_byte_at != SteadyTime{};
  }

  /// When the server has been silent for too long; `end_of_time` where no limit applies. Its first byte is
  /// waited for from the last progress of the upload on.
  SteadyTime silence_ends(const TransportRequest& request, const Transfer& transfer) {
    if (answering(transfer)) {
      return request.timeouts.idle.count() == 0 ? end_of_time
                                                : after(transfer.last_byte_at, request.timeouts.idle);
    }
    if (transfer.times_sent == 0 || request.timeouts.first_byte.count() == 0) {
      return end_of_time;
    }
    curl_off_t uploaded = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_UPLOAD_T, &uploaded);
    if (uploaded != uploaded_ || upload_seen_at_ == SteadyTime{}) {
      uploaded_ = uploaded;
      upload_seen_at_ = std::chrono::steady_clock::now();
    }
    return after(upload_seen_at_, request.timeouts.first_byte);
  }

  /// How long to sleep at most, in milliseconds.
  int pause(const TransportRequest& request, const Transfer& transfer) {
    constexpr Duration longest = std::chrono::hours(1);
    const SteadyTime now = std::chrono::steady_clock::now();
    const SteadyTime until =
        (std::min)({request.deadline, silence_ends(request, transfer), after(now, longest)});
    return static_cast<int>(
        std::chrono::ceil<std::chrono::milliseconds>((std::max)(until - now, Duration::zero())).count());
  }

  std::optional<TransportFailure> failure_of(CURLcode code, const Transfer& transfer) {
    if (transfer.stopped) {
      return transfer.stopped;
    }
    if (code == CURLE_OK) {
      return std::nullopt;
    }
    const bool sent = transfer.times_sent != 0;
    const char* text = error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code);
    return TransportFailure{failure_kind(code, sent), sent, text};
  }

  Exchange finished(Transfer& transfer, SteadyTime started, std::optional<TransportFailure> failure) {
    const SteadyTime now = std::chrono::steady_clock::now();
    Exchange exchange;
    exchange.sent = transfer.times_sent != 0;
    exchange.resent = transfer.times_sent > 1;
    exchange.answered_at = transfer.header_complete ? transfer.header_complete_at : now;
    exchange.timing = timing(now - started);
    exchange.answer = std::move(transfer.answer);
    exchange.failure = std::move(failure);
    upload_seen_at_ = SteadyTime{};
    uploaded_ = 0;
    return exchange;
  }

  Timing timing(Duration total) {
    curl_off_t connected = 0;
    curl_off_t first_byte = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &connected);
    curl_easy_getinfo(easy_.get(), CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
    return {std::chrono::microseconds(connected), std::chrono::microseconds(first_byte),
            std::chrono::duration_cast<std::chrono::microseconds>(total)};
  }

  Multi multi_;
  Easy easy_;
  Url url_;
  List headers_;
  List resolve_;
  std::string url_text_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  curl_off_t uploaded_ = 0;
  SteadyTime upload_seen_at_{};
};

}  // namespace tokenpool::curl

namespace tokenpool {

/// HTTP by libcurl (7.80 or newer). Thread-safe: each call has a channel of its own; idle ones stay warm.
class CurlTransport {
 public:
  /// Throws Error{network} when libcurl cannot start.
  CurlTransport() { curl::start_once(); }
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  /// Blocks until the exchange is over. Throws what the body's producer throws.
  Exchange perform(const TransportRequest& request, Interrupt& interrupt) {
    std::unique_ptr<curl::Channel> channel = check_out();
    Exchange exchange = channel->run(request, interrupt);
    give_back(std::move(channel));
    return exchange;
  }

 private:
  std::unique_ptr<curl::Channel> check_out() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<curl::Channel> warmest = std::move(idle_.back());
        idle_.pop_back();
        return warmest;
      }
    }
    return std::make_unique<curl::Channel>();
  }

  void give_back(std::unique_ptr<curl::Channel> channel) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(channel));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<curl::Channel>> idle_;
};

}  // namespace tokenpool
