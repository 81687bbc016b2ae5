#pragma once
// libcurl's handles with owners.

#include <curl/curl.h>

#include <memory>
#include <new>
#include <string>

#include "tokenpool/http/headers.hpp"

namespace tokenpool::curl {

struct Cleanup {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
struct CleanupMulti {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};

using Easy = std::unique_ptr<CURL, Cleanup>;
using Multi = std::unique_ptr<CURLM, CleanupMulti>;
using Url = std::unique_ptr<CURLU, Cleanup>;
using List = std::unique_ptr<curl_slist, Cleanup>;

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
  bool large = false;  ///< or of a size that is not known beforehand
};

/// Header fields as libcurl wants them (CURLOPT_HTTPHEADER): a field with an empty value ends in a semicolon,
/// and a bare "Name:" keeps libcurl from adding one of its own.
inline List header_list(const Headers& headers, BodyTraits body) {
  List list;
  std::string line;
  for (const auto& field : headers) {
    line.assign(field.name).append(field.value.empty() ? ";" : ": ").append(field.value);
    append(list, line);
  }
  if (body.present && !headers.get("Content-Type")) {
    append(list, "Content-Type:");
  }
  if (body.large && !headers.get("Expect")) {
    append(list, "Expect:");
  }
  return list;
}

}  // namespace tokenpool::curl
