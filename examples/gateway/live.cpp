#include "live.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "reply.hpp"

namespace gateway {
namespace {

using nlohmann::json;
using std::chrono::system_clock;

template <class Unit>
std::int64_t since_1970() {
  return std::chrono::floor<Unit>(system_clock::now().time_since_epoch()).count();
}

json to_json(const Second& second) {
  return {{"t", second.t},
          {"requests", second.requests},
          {"retries", second.retries},
          {"rate_limited", second.rate_limited},
          {"failures", second.failures}};
}

json to_json(const News& news) {
  return {{"id", news.id},       {"time_ms", news.time_ms}, {"kind", news.kind},
          {"token", news.token}, {"scope", news.scope},     {"text", news.text}};
}

template <class Item>
json list_of(const std::vector<Item>& items) {
  json list = json::array();
  for (const Item& item : items) list.push_back(to_json(item));
  return list;
}

/// Texts of servers may be anything; what is no UTF-8 is replaced.
std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string event(std::string_view name, std::string_view data) {
  return std::string("event: ").append(name).append("\ndata: ").append(data).append("\n\n");
}

}  // namespace

/// One page's events.
class Live::Feed final : public Source {
 public:
  Feed(const Live& live, const Inbound& request, Wake wake)
      : live_(live),
        http_1_0_(request.http_1_0),
        head_only_(request.method == "HEAD"),
        wake_(std::move(wake)) {}

  void wake() const { wake_(); }

  Output next() override {
    if (over_) return {};
    std::string text = greeted_ ? news() : hello();
    over_ = live_.stopped_ || head_only_;
    if (over_ && !http_1_0_ && !head_only_) text += last_chunk;
    return {std::move(text), over_ ? Output::Then::close : Output::Then::more};
  }

 private:
  std::string hello() {
    greeted_ = true;
    const tokenpool::Headers headers{{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
    std::string text = head_text(200, headers, http_1_0_ ? Framing::close : Framing::chunked, false);
    if (head_only_) return text;
    const std::vector<Second> seconds = live_.chronicle_.seconds();
    const std::vector<News> news = live_.chronicle_.news();
    if (!seconds.empty()) last_second_ = seconds.back().t;
    if (!news.empty()) last_news_ = news.back().id;
    const std::string data = R"({"version":1,"gateway":)" + live_.gateway_ + R"(,"pool":)" +
                             live_.view_().json + R"(,"history":)" + text_of(list_of(seconds)) +
                             R"(,"news":)" + text_of(list_of(news)) + "}";
    return text += framed(event("hello", data));
  }

  std::string news() {
    std::string text;
    for (const News& one : live_.chronicle_.news(last_news_)) {
      text += event("news", text_of(to_json(one)));
      last_news_ = one.id;
    }
    for (const Second& second : live_.chronicle_.seconds()) {
      if (second.t <= last_second_) continue;
      text += event("tick", text_of(to_json(second)));
      last_second_ = second.t;
    }
    if (live_.state_ && state_ != live_.state_number_) {
      state_ = live_.state_number_;
      text += event("state", *live_.state_);
    }
    return framed(text);
  }

  [[nodiscard]] std::string framed(const std::string& text) const {
    return http_1_0_ ? text : chunk_text(text);
  }

  const Live& live_;
  bool http_1_0_;
  bool head_only_;
  Wake wake_;
  bool greeted_ = false;
  bool over_ = false;
  std::uint64_t last_news_ = 0;
  std::int64_t last_second_ = 0;
  std::uint64_t state_ = 0;
};

Live::Live(boost::asio::io_context& context, Chronicle& chronicle, std::function<PoolView()> view,
           std::string gateway)
    : context_(context),
      seconds_(context),
      soon_(context),
      rest_end_(context),
      chronicle_(chronicle),
      view_(std::move(view)),
      gateway_(std::move(gateway)) {
  each_second();
}

Live::~Live() { *self_ = nullptr; }

std::shared_ptr<Source> Live::feed(const Inbound& request, Wake wake) {
  auto feed = std::make_shared<Feed>(*this, request, std::move(wake));
  feeds_.push_back(feed);
  return feed;
}

void Live::changed() {
  if (posted_.exchange(true)) return;
  boost::asio::post(context_, [self = self_] {
    if (*self != nullptr) (*self)->publish_soon();
  });
}

void Live::stop() {
  stopped_ = true;
  wake_all();
}

void Live::each_second() {
  const auto now = system_clock::now();
  chronicle_.turn_to(since_1970<std::chrono::seconds>());
  publish();
  const auto next = std::chrono::floor<std::chrono::seconds>(now) + std::chrono::seconds(1);
  seconds_.expires_after(next - now);
  seconds_.async_wait([this](boost::system::error_code stopped) {
    if (!stopped) each_second();
  });
}

void Live::publish_soon() {
  posted_ = false;
  if (scheduled_) return;
  const auto left = published_ + shortest_gap - std::chrono::steady_clock::now();
  if (left <= left.zero()) return publish();
  scheduled_ = true;
  soon_.expires_after(left);
  soon_.async_wait([this](boost::system::error_code stopped) {
    if (!stopped) publish();
  });
}

void Live::publish() {
  scheduled_ = false;
  published_ = std::chrono::steady_clock::now();
  std::erase_if(feeds_, [](const auto& feed) { return feed.expired(); });
  if (feeds_.empty()) return;
  const PoolView pool = view_();
  state_ = std::make_shared<const std::string>(R"({"now_ms":)" +
                                               std::to_string(since_1970<std::chrono::milliseconds>()) +
                                               R"(,"pool":)" + pool.json + "}");
  ++state_number_;
  wake_all();
  rest_end_.cancel();
  if (!pool.rest_ends_in) return;
  rest_end_.expires_after(*pool.rest_ends_in + std::chrono::milliseconds(1));
  rest_end_.async_wait([this](boost::system::error_code stopped) {
    if (!stopped) changed();
  });
}

void Live::wake_all() {
  for (const auto& weak : feeds_) {
    if (const auto feed = weak.lock()) feed->wake();
  }
}

}  // namespace gateway
