#pragma once
// How much memory the bodies of all requests may take together: 10,000 clients with 16 MiB each would be more
// than a machine has.

#include <cstdint>
#include <utility>

namespace gateway {

/// Bytes that may be held. Used on the gateway's thread.
class Budget {
 public:
  explicit Budget(std::uint64_t bytes) : left_(bytes) {}

  /// A part of it, given back when it goes.
  class Share {
   public:
    explicit Share(Budget& budget) : budget_(budget) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { give_back(); }

    /// Makes this share one of `bytes`, if it is smaller; false if there is not so much left.
    bool grow_to(std::uint64_t bytes) noexcept {
      if (bytes <= held_) return true;
      if (bytes - held_ > budget_.left_) return false;
      budget_.left_ -= bytes - held_;
      held_ = bytes;
      return true;
    }
    void give_back() noexcept { budget_.left_ += std::exchange(held_, 0); }

   private:
    Budget& budget_;
    std::uint64_t held_ = 0;
  };

 private:
  std::uint64_t left_;
};

}  // namespace gateway
