#pragma once
// A credential that does not leave by accident: nothing prints it, it serialises as "***", and its bytes are
// overwritten when it goes. The buffer is always its own heap block, since a moved-from small string keeps
// its bytes.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tokenpool {

/// A credential. `reveal()` is the only way out. Copyable; concurrent reads are safe.
class Secret {
 public:
  Secret() = default;
  /// @{
  /// A copy of the text; wipe the text itself if that matters.
  Secret(std::string_view text) : size_(text.size()), bytes_(size_ == 0 ? nullptr : new char[size_]) {
    text.copy(bytes_.get(), size_);
  }
  Secret(const char* text) : Secret(std::string_view(text)) {}
  Secret(const std::string& text) : Secret(std::string_view(text)) {}
  /// @}

  /// @{
  /// Copies hold memory of their own, and each wipes it; what was moved from is empty.
  Secret(const Secret& other) : Secret(other.reveal()) {}
  Secret(Secret&& other) noexcept : size_(std::exchange(other.size_, 0)), bytes_(std::move(other.bytes_)) {}
  Secret& operator=(Secret other) noexcept {
    std::swap(size_, other.size_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  /// @}
  ~Secret() { wipe(); }

  /// The credential itself. The view lives as long as this object.
  [[nodiscard]] std::string_view reveal() const noexcept { return {bytes_.get(), size_}; }

  /// Whether there is no credential.
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// Compares in a time that depends on the lengths alone.
  friend bool operator==(const Secret& left, const Secret& right) noexcept {
    if (left.size_ != right.size_) {
      return false;
    }
    unsigned difference = 0;
    for (std::size_t i = 0; i < left.size_; ++i) {
      difference |= static_cast<unsigned char>(left.bytes_[i]) ^ static_cast<unsigned char>(right.bytes_[i]);
    }
    return difference == 0;
  }

  template <class Stream>
  friend Stream& operator<<(Stream&, const Secret&) = delete;

  /// Serialises as "***" (found by nlohmann/json through argument-dependent look-up).
  template <class Json>
  friend void to_json(Json& json, const Secret&) {
    json = "***";
  }

 private:
  void wipe() noexcept {
    // A volatile write is one that the optimiser may not drop, although the block is freed right after.
    volatile char* bytes = bytes_.get();
    for (std::size_t i = 0; i < size_; ++i) {
      bytes[i] = 0;
    }
  }

  std::size_t size_ = 0;
  std::unique_ptr<char[]> bytes_;
};

/// `text` with every occurrence of `secret` replaced by "***". Secrets under four bytes are left: masking "a"
/// helps nobody.
inline std::string masked(std::string text, std::string_view secret) {
  if (secret.size() < 4) {
    return text;
  }
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3)) {
    text.replace(at, secret.size(), "***");
  }
  return text;
}

}  // namespace tokenpool

#if __has_include(<version>)
#include <version>
#endif
#if defined(__cpp_lib_format)
#include <format>

/// Formats as "***".
template <>
struct std::formatter<tokenpool::Secret> : std::formatter<std::string_view> {
  auto format(const tokenpool::Secret&, auto& context) const {
    return std::formatter<std::string_view>::format("***", context);
  }
};
#endif
