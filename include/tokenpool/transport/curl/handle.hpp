#pragma once
// libcurl's handles with owners.

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/http/headers.hpp"

namespace tokenpool::detail::curl {

struct Cleanup {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  void operator()(curl_mime* mime) const noexcept { curl_mime_free(mime); }
};
struct CleanupMulti {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};

struct CleanupShare {
  void operator()(CURLSH* share) const noexcept { curl_share_cleanup(share); }
};

using Easy = std::unique_ptr<CURL, Cleanup>;
using Multi = std::unique_ptr<CURLM, CleanupMulti>;
using Share = std::unique_ptr<CURLSH, CleanupShare>;
using Url = std::unique_ptr<CURLU, Cleanup>;
using List = std::unique_ptr<curl_slist, Cleanup>;
using Mime = std::unique_ptr<curl_mime, Cleanup>;

/// `pointer`, or std::bad_alloc: libcurl makes handles or is out of memory.
template <class T>
T* made(T* pointer) {
  return pointer != nullptr ? pointer : throw std::bad_alloc();
}

/// Appends `line` to `list`. Throws std::bad_alloc, the list unchanged.
inline void append(List& list, const std::string& line) {
  curl_slist* longer = made(curl_slist_append(list.get(), line.c_str()));
  static_cast<void>(list.release());
  list.reset(longer);
}

/// What libcurl would add by itself for a body: it calls one without a type a form, and holds one of over a
/// megabyte back until the server says "100 Continue", which few APIs do.
struct BodyTraits {
  bool present = false;
  bool large = false;      ///< or of a size that is not known beforehand
  bool multipart = false;  ///< libcurl's own, whose type it has to say itself
};

/// The content codings that this libcurl can unpack, as Accept-Encoding names them (RFC 9110, 12.5.3), but
/// for deflate: who packs so packs by gzip, too.
inline std::string_view content_codings() noexcept {
  // Needs no destructor: a client of static lifetime may send while the program ends.
  struct Names {
    std::array<char, 32> text{};
    std::size_t size = 0;
  };
  static const Names known = [] {
    constexpr std::array all{std::pair{CURL_VERSION_LIBZ, std::string_view("gzip")},
                             std::pair{CURL_VERSION_BROTLI, std::string_view("br")},
                             std::pair{CURL_VERSION_ZSTD, std::string_view("zstd")}};
    const int features = curl_version_info(CURLVERSION_NOW)->features;
    Names names;
    for (const auto& [feature, name] : all) {
      if ((static_cast<unsigned>(features) & static_cast<unsigned>(feature)) != 0) {
        for (const std::string_view part : {std::string_view(names.size == 0 ? "" : ", "), name}) {
          names.size += part.copy(names.text.data() + names.size, names.text.size() - names.size);
        }
      }
    }
    return names;
  }();
  return {known.text.data(), known.size};
}

/// The header fields of a request as libcurl wants them (CURLOPT_HTTPHEADER): a field with an empty value
/// ends in a semicolon, and a bare "Name:" keeps libcurl from adding one of its own. libcurl only reads the
/// list, so its nodes and their texts lie in two blocks that every request fills anew: curl_slist_append
/// would allocate twice a line.
class HeaderLines {
 public:
  void assign(const HeaderViews& headers, BodyTraits body) {
    const bool no_type = body.present && !body.multipart && !headers.has("Content-Type");
    const bool no_expect = body.large && !headers.has("Expect");
    // Left to libcurl the field would be formatted twice, byte by byte.
    const std::string_view codings = content_codings();
    const bool packed = !codings.empty() && !headers.has("Accept-Encoding");
    make_space(headers, codings.size());
    for (const auto& field : headers) {
      add(field.name, field.value.empty() ? ";" : ": ", field.value);
    }
    if (no_type) {
      add("Content-Type", ":", "");
    }
    if (no_expect) {
      add("Expect", ":", "");
    }
    if (packed) {
      add("Accept-Encoding", ": ", codings);
    }
  }

  /// Valid until the next assign(); null without a line.
  [[nodiscard]] const curl_slist* list() const noexcept { return nodes_.empty() ? nullptr : nodes_.data(); }

 private:
  /// For all that may come, since the nodes point to each other and into the text.
  void make_space(const HeaderViews& headers, std::size_t value_bytes) {
    constexpr std::size_t our_own_names = 64;
    constexpr std::size_t our_own_lines = 3;
    std::size_t bytes = our_own_names + value_bytes;
    for (const auto& field : headers) {
      bytes += field.name.size() + field.value.size() + 3;
    }
    if (text_.size() < bytes) {
      text_.resize(bytes);
    }
    end_ = text_.data();
    nodes_.clear();
    nodes_.reserve(headers.size() + our_own_lines);
  }

  void add(std::string_view name, std::string_view separator, std::string_view value) {
    char* const line = end_;
    for (const std::string_view part : {name, separator, value}) {
      end_ = std::copy(part.begin(), part.end(), end_);
    }
    *end_++ = '\0';
    if (!nodes_.empty()) {
      nodes_.back().next = nodes_.data() + nodes_.size();
    }
    nodes_.push_back({line, nullptr});
  }

  std::vector<char> text_;
  char* end_ = nullptr;
  std::vector<curl_slist> nodes_;
};

}  // namespace tokenpool::detail::curl
