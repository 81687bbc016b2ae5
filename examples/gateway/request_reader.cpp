#include "request_reader.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

#include "tokenpool/base/numbers.hpp"

namespace gateway {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;
using tokenpool::equal_ignoring_case;
using Progress = RequestReader::Progress;

std::string_view plain(string_view text) { return {text.data(), text.size()}; }

/// Letters, digits and what else a field's name may have, in a value: nothing that ends a line.
bool is_clean(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    return c != '\t' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f);
  });
}

/// A line that goes on in the next one: the parser would put the two together, others would not (RFC
/// 9112 5.2).
bool is_folded(std::string_view lines) {
  return lines.find("\n ") != std::string_view::npos || lines.find("\n\t") != std::string_view::npos;
}

/// A name or an address with a port.
bool is_host(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    const char lower = tokenpool::detail::ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || tokenpool::is_digit(c) ||
           std::string_view(".-_:[]").find(c) != std::string_view::npos;
  });
}

/// The framing of a message has to be understood in one way only: what a proxy before us and we read
/// differently would be a second request.
std::optional<Unreadable> ambiguity_of(const Inbound& request) {
  const auto lengths = request.headers.all("Content-Length");
  const auto codings = request.headers.all("Transfer-Encoding");
  if (lengths.size() > 1 || (!lengths.empty() && !codings.empty())) {
    return Unreadable{400, "the length of the body is given in more than one way"};
  }
  // The parser takes a list of equal numbers for one.
  if (!lengths.empty() && !tokenpool::parse_whole<std::uint64_t>(lengths[0])) {
    return Unreadable{400, "the Content-Length is no number"};
  }
  if (!codings.empty() &&
      (request.http_1_0 || codings.size() > 1 || !equal_ignoring_case(codings[0], "chunked"))) {
    return Unreadable{501, "Transfer-Encoding may only be chunked"};
  }
  const auto hosts = request.headers.all("Host");
  if (hosts.size() > 1 || (hosts.empty() ? !request.http_1_0 : !is_host(hosts[0]))) {
    return Unreadable{400, "a request has to have one Host"};
  }
  if (request.target.empty() || request.target.front() != '/') {
    return Unreadable{400, "the target of a request has to be a path: this is a gateway and no proxy"};
  }
  return std::nullopt;
}

const Unreadable too_large_header{431, "the header is too large"};

Unreadable unreadable(const error_code& error) {
  if (error == http::error::header_limit) return too_large_header;
  if (error == http::error::body_limit) return {413, "the body is too large"};
  return {400, "this is no request that can be read: " + error.message()};
}

}  // namespace

class RequestReader::Parser final : public http::basic_parser<true> {
 public:
  Parser(std::size_t max_header_bytes, std::size_t max_body_bytes) : max_header_bytes_(max_header_bytes) {
    header_limit(static_cast<std::uint32_t>(max_header_bytes));
    body_limit(max_body_bytes);
  }

  Progress read(std::string_view& bytes) {
    while (!is_done()) {
      if (bytes.empty() || (chunked() && is_header_done() && bytes.size() < shortest_end))
        return Progress::more;
      error_code error;
      const bool had_head = is_header_done();
      const std::size_t body_before = request.body.size();
      const std::size_t count = put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
      const std::string_view taken = bytes.substr(0, count);
      bytes.remove_prefix(count);
      if (error && error != http::error::need_more) return refuse(unreadable(error));
      // The parser's own limit is for what it has not read yet: lines that come one by one, or all at once,
      // would pass it.
      const std::size_t waiting = error ? bytes.size() : 0;
      if (!had_head) {
        header_bytes_ += count;
        if (header_bytes_ + waiting > max_header_bytes_) return refuse(too_large_header);
        if (is_folded(taken)) return refuse({400, "a field has to be on one line"});
        if (is_header_done()) return begin();
      } else if (request.body.size() == body_before && count + waiting > max_header_bytes_) {
        return refuse({400, "a line of the body is too long"});
      }
      if (error) return Progress::more;
    }
    return Progress::complete;
  }

  Inbound request{};
  Unreadable refusal{};

  [[nodiscard]] std::uint64_t body_bytes() const {
    const auto announced = is_header_done() ? content_length() : boost::none;
    return announced ? *announced : request.body.size();
  }

 private:
  /// A chunked body goes on for as much at least. Given less, the parser may end the process: it asserts that
  /// behind "0\r\n" more than one byte comes at a time.
  static constexpr std::size_t shortest_end = std::string_view("0\r\n\r\n").size();

  Progress refuse(Unreadable why) {
    refusal = std::move(why);
    return Progress::refused;
  }

  Progress begin() {
    if (auto ambiguous = ambiguity_of(request)) return refuse(*std::move(ambiguous));
    request.keep_alive = keep_alive();
    return Progress::head;
  }

  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    request.method = plain(method);
    request.target = plain(target);
    request.http_1_0 = version < 11;
  }
  void on_response_impl(int, string_view, int, error_code&) override {}

  /// What comes behind a chunked body is nobody's header (RFC 9110 6.5.1).
  void on_field_impl(http::field, string_view name, string_view value, error_code& error) override {
    if (in_body_) return;
    if (!is_clean(plain(value))) error = http::error::bad_value;
    request.headers.add(plain(name), plain(value));
  }
  void on_header_impl(error_code&) override { in_body_ = true; }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view bytes, error_code&) override {
    request.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  /// Between quotation marks the parser takes a line end, at which others would begin the chunk.
  void on_chunk_header_impl(std::uint64_t, string_view extension, error_code& error) override {
    if (!is_clean(plain(extension))) error = http::error::bad_chunk_extension;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& error) override {
    return on_body_impl(bytes, error);
  }
  void on_finish_impl(error_code&) override {}

  std::size_t max_header_bytes_;
  std::size_t header_bytes_ = 0;
  bool in_body_ = false;
};

RequestReader::RequestReader(std::size_t max_header_bytes, std::size_t max_body_bytes)
    : parser_(std::make_unique<Parser>(max_header_bytes, max_body_bytes)) {}
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;
RequestReader::~RequestReader() = default;

Progress RequestReader::read(std::string_view& bytes) { return parser_->read(bytes); }
Inbound& RequestReader::request() noexcept { return parser_->request; }
std::uint64_t RequestReader::body_bytes() const noexcept { return parser_->body_bytes(); }
const Unreadable& RequestReader::refusal() const noexcept { return parser_->refusal; }

bool RequestReader::expects_continue() const {
  const Inbound& request = parser_->request;
  return !request.http_1_0 && !parser_->is_done() &&
         equal_ignoring_case(request.headers.get("Expect").value_or(""), "100-continue");
}

}  // namespace gateway
