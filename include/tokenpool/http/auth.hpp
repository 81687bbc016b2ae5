#pragma once
// How a credential is put into a request.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokenpool {

/// The place of the credential in a request. A plain value.
class Auth {
 public:
  /// `Authorization: Bearer <secret>` (RFC 6750 2.1); the default.
  static Auth bearer() { return {Kind::bearer, "Authorization"}; }
  /// `<name>: <secret>`, such as `x-api-key`.
  static Auth header(std::string name) { return {Kind::header, std::move(name)}; }
  /// `?<name>=<secret>` in the URL. Servers log URLs: prefer a header where there is a choice.
  static Auth query(std::string name) { return {Kind::query, std::move(name)}; }
  /// `Authorization: Basic`, the secret being `user:password` (RFC 7617).
  static Auth basic() { return {Kind::basic, "Authorization"}; }

  Auth() : Auth(bearer()) {}

  /// The name of the header or query parameter.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Whether the credential goes into the URL, where servers and proxies log it.
  [[nodiscard]] bool in_query() const noexcept { return kind_ == Kind::query; }

  /// What the header field says; empty for a query parameter. Its bytes stay where they are when the vector
  /// is moved, as those of a short string would not.
  [[nodiscard]] std::vector<char> field_value(std::string_view secret) const {
    switch (kind_) {
      case Kind::bearer: return joined("Bearer ", secret);
      case Kind::header: return joined("", secret);
      case Kind::basic: return joined("Basic ", base64(secret));
      case Kind::query: break;
    }
    return {};
  }

 private:
  enum class Kind : std::uint8_t { bearer, header, query, basic };

  Auth(Kind kind, std::string name) : kind_(kind), name_(std::move(name)) {}

  static std::vector<char> joined(std::string_view scheme, std::string_view credential) {
    std::vector<char> value;
    value.reserve(scheme.size() + credential.size());
    value.insert(value.end(), scheme.begin(), scheme.end());
    value.insert(value.end(), credential.begin(), credential.end());
    return value;
  }

  /// RFC 4648 4.
  static std::string base64(std::string_view text) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string encoded;
    for (std::size_t at = 0; at < text.size(); at += 3) {
      const std::string_view group = text.substr(at, 3);
      std::uint32_t bits = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        bits = bits << 8U | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
      }
      for (std::size_t i = 0; i < 4; ++i) {
        encoded += i <= group.size() ? digits[bits >> (18U - 6U * i) & 0x3fU] : '=';
      }
    }
    return encoded;
  }

  Kind kind_;
  std::string name_;
};

}  // namespace tokenpool
