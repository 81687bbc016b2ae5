#pragma once
// The files of the live page, which are part of the program: CMake makes page_files.cpp of the folder page/.

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "reply.hpp"

namespace gateway {

/// One file.
struct PageFile {
  std::string_view path{};  ///< that it is served at
  std::string_view type{};  ///< its Content-Type
  std::string_view text{};
};

/// All files: page.html at "/", the others by their names below "/tokenpool/".
std::span<const PageFile> page_files() noexcept;

/// The file that is served at `path`, if there is one.
inline const PageFile* page_file(std::string_view path) noexcept {
  const auto files = page_files();
  const auto at =
      std::find_if(files.begin(), files.end(), [&](const PageFile& file) { return file.path == path; });
  return at == files.end() ? nullptr : &*at;
}

/// `file` as an answer that lets a browser fetch nothing but from here, run nothing but its own script, and
/// show it in nobody's frame.
inline Reply page_reply(const PageFile& file) {
  return {
      200,
      {{"Content-Type", std::string(file.type)},
       {"Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
       {"X-Content-Type-Options", "nosniff"},
       {"X-Frame-Options", "DENY"},
       {"Referrer-Policy", "no-referrer"},
       {"Cache-Control", "no-cache"}},
      std::string(file.text)};
}

}  // namespace gateway
