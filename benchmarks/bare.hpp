#pragma once
// libcurl without anything around it, as one would write it by hand for speed: what the client is measured
// against.

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

namespace benchmarks {

inline const std::string request_body =
    R"({"model":"demo","messages":[{"role":"user","content":"Please tell me something about rate limits."}]})";

/// The program's end if `good` is not so: a benchmark of requests that fail says nothing.
inline void need(bool good, const char* what) {
  if (!good) {
    std::fprintf(stderr, "the benchmark ends: %s\n", what);
    std::exit(1);
  }
}

/// A reused easy handle that is given a URL string and a header list once, the way everyone writes it.
class BareEasy {
 public:
  explicit BareEasy(const std::string& base_url, const std::vector<std::string>& more_headers = {}) {
    for (const char* line :
         {"Authorization: Bearer sk-bench-1", "Content-Type: application/json", "Accept: application/json"}) {
      headers_ = curl_slist_append(headers_, line);
    }
    for (const std::string& line : more_headers) {
      headers_ = curl_slist_append(headers_, line.c_str());
    }
    curl_easy_setopt(easy_, CURLOPT_URL, (base_url + "/chat/completions").c_str());
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_body.c_str());
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &BareEasy::keep);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &answer_);
    curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  }
  BareEasy(const BareEasy&) = delete;
  BareEasy& operator=(const BareEasy&) = delete;
  ~BareEasy() {
    curl_easy_cleanup(easy_);
    curl_slist_free_all(headers_);
  }

  [[nodiscard]] CURL* handle() const noexcept { return easy_; }

  /// Before each transfer.
  void begin() { answer_.clear(); }

  /// After each transfer.
  [[nodiscard]] bool succeeded() const {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    return status == 200 && !answer_.empty();
  }

  bool post() {
    begin();
    return curl_easy_perform(easy_) == CURLE_OK && succeeded();
  }

 private:
  static std::size_t keep(char* data, std::size_t size, std::size_t count, void* text) {
    static_cast<std::string*>(text)->append(data, size * count);
    return size * count;
  }

  std::string answer_;
  CURL* easy_ = curl_easy_init();
  curl_slist* headers_ = nullptr;
};

/// A bare multi handle that keeps a number of requests in flight. The subclass says how it waits.
class BareMulti {
 public:
  BareMulti(const std::string& base_url, std::size_t in_flight,
            const std::vector<std::string>& more_headers = {}) {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(in_flight));
    for (std::size_t i = 0; i < in_flight; ++i) {
      handles_.emplace_back(base_url, more_headers);
    }
  }
  BareMulti(const BareMulti&) = delete;
  BareMulti& operator=(const BareMulti&) = delete;
  virtual ~BareMulti() {
    for (const BareEasy& easy : handles_) {
      curl_multi_remove_handle(multi_, easy.handle());
    }
    handles_.clear();
    curl_multi_cleanup(multi_);
  }

  /// Sends `requests` and returns when all are answered.
  void run(std::size_t requests) {
    start(requests);
    while (to_end_ != 0) {
      step();
    }
  }

  /// The same in pieces: begins as many as may be in flight.
  void start(std::size_t requests) {
    to_begin_ = to_end_ = requests;
    for (BareEasy& easy : handles_) {
      begin(easy);
    }
  }
  void step() {
    wait_and_perform();
    collect();
  }
  [[nodiscard]] std::size_t left() const noexcept { return to_end_; }

 protected:
  virtual void wait_and_perform() = 0;
  [[nodiscard]] CURLM* multi() const noexcept { return multi_; }

 private:
  void begin(BareEasy& easy) {
    if (to_begin_ != 0) {
      --to_begin_;
      easy.begin();
      curl_multi_add_handle(multi_, easy.handle());
    }
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      CURL* const handle = message->easy_handle;
      const CURLcode code = message->data.result;
      BareEasy* easy = nullptr;
      curl_easy_getinfo(handle, CURLINFO_PRIVATE, &easy);
      need(code == CURLE_OK && easy->succeeded(), curl_easy_strerror(code));
      curl_multi_remove_handle(multi_, handle);
      --to_end_;
      begin(*easy);
    }
  }

  CURLM* multi_ = curl_multi_init();
  std::deque<BareEasy> handles_;
  std::size_t to_begin_ = 0;
  std::size_t to_end_ = 0;
};

/// With curl_multi_poll.
class BarePoll final : public BareMulti {
 public:
  using BareMulti::BareMulti;

 private:
  void wait_and_perform() override {
    int running = 0;
    curl_multi_perform(multi(), &running);
    if (running != 0) {
      curl_multi_poll(multi(), nullptr, 0, 1000, nullptr);
    }
  }
};

/// With curl_multi_socket_action and epoll.
class BareEpoll final : public BareMulti {
 public:
  BareEpoll(const std::string& base_url, std::size_t in_flight) : BareMulti(base_url, in_flight) {
    curl_multi_setopt(multi(), CURLMOPT_SOCKETFUNCTION, &BareEpoll::on_socket);
    curl_multi_setopt(multi(), CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi(), CURLMOPT_TIMERFUNCTION, &BareEpoll::on_timer);
    curl_multi_setopt(multi(), CURLMOPT_TIMERDATA, this);
  }
  ~BareEpoll() override { close(epoll_); }

 private:
  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void* watched) {
    auto& loop = *static_cast<BareEpoll*>(self);
    epoll_event event{};
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    event.data.fd = socket;
    if (what == CURL_POLL_REMOVE) {
      epoll_ctl(loop.epoll_, EPOLL_CTL_DEL, socket, nullptr);
    } else if (watched == nullptr) {
      epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, socket, &event);
      curl_multi_assign(loop.multi(), socket, &loop);
    } else {
      epoll_ctl(loop.epoll_, EPOLL_CTL_MOD, socket, &event);
    }
    return 0;
  }

  static int on_timer(CURLM*, long milliseconds, void* self) {
    static_cast<BareEpoll*>(self)->timeout_ = static_cast<int>(milliseconds);
    return 0;
  }

  void wait_and_perform() override {
    std::array<epoll_event, 256> events{};
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_);
    int running = 0;
    if (count == 0) {
      timeout_ = -1;
      curl_multi_socket_action(multi(), CURL_SOCKET_TIMEOUT, 0, &running);
    }
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events.at(static_cast<std::size_t>(i));
      const int what =
          (event.events & EPOLLOUT ? CURL_CSELECT_OUT : 0) | (event.events & ~EPOLLOUT ? CURL_CSELECT_IN : 0);
      curl_multi_socket_action(multi(), event.data.fd, what, &running);
    }
  }

  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int timeout_ = -1;
};

}  // namespace benchmarks
