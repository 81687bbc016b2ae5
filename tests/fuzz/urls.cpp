// URLs, with libcurl as the oracle, because what two parsers read differently is how a credential ends up on
// another host. Properties: a base URL that is accepted is the same scheme, host and port to libcurl; a path
// that is resolved is at the base's origin to libcurl; percent-encoding has no more than unreserved
// characters and is undone by libcurl.

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fuzz.hpp"
#include "tokenpool/http/url.hpp"

using fuzz::holds;

namespace {

std::string part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  const CURLUcode result = curl_url_get(url, which, &text, which == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0);
  std::string copy = result == CURLUE_OK ? text : "";
  curl_free(text);
  return tokenpool::detail::lower(copy);
}

/// What libcurl would connect to; nothing if it is no URL to it.
std::optional<std::string> origin_to_curl(const std::string& text) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return std::nullopt;
  holds(part(url.get(), CURLUPART_USER).empty(), "no user comes with an accepted URL");
  return part(url.get(), CURLUPART_SCHEME) + "://" + part(url.get(), CURLUPART_HOST) + ":" +
         part(url.get(), CURLUPART_PORT);
}

void check_encoding(const std::string& text) {
  const std::string encoded = tokenpool::percent_encoded(text);
  holds(tokenpool::detail::is_visible_ascii(encoded) &&
            encoded.find_first_of("/?#&=+:@ \\") == std::string::npos,
        "what is encoded has no character with a meaning");
  int length = 0;
  char* const decoded =
      curl_easy_unescape(nullptr, encoded.c_str(), static_cast<int>(encoded.size()), &length);
  holds(std::string_view(decoded, static_cast<std::size_t>(length)) == text,
        "encoding is undone by decoding");
  curl_free(decoded);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const std::string text = fuzz::rest(input);
  const std::size_t line = (std::min)(text.find('\n'), text.size());
  const std::string base_text = text.substr(0, line);
  const std::string path = text.substr((std::min)(line + 1, text.size()));
  check_encoding(path);
  const auto base = tokenpool::parse_base_url(base_text);
  if (!base) return 0;
  const auto again = tokenpool::parse_base_url(base->origin + base->path);
  holds(again && again->origin == base->origin && again->path == base->path,
        "a base URL that was read is one");
  const auto origin = origin_to_curl(base_text);
  // What libcurl does not take is refused before anything is sent.
  holds(!origin || origin_to_curl(base->origin) == origin, "libcurl sees the same origin");
  if (!origin || tokenpool::problem_with_path(path)) return 0;
  if (const auto url = tokenpool::resolve(*base, path)) {
    const auto target = origin_to_curl(*url);
    holds(!target || target == origin, "a resolved path stays at its origin");
    holds(url->starts_with(base->origin), "a resolved path begins with its origin");
  }
  return 0;
}
