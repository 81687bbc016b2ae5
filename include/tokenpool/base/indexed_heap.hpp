#pragma once
// A heap whose members are known by number, so that a member's key can change and a member can leave from the
// middle. The pool wakes resting tokens with it, least-used and others keep their order in it.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tokenpool::detail {

/// Members 0, 1, 2... each with a key; the smallest key is on top, equal keys by the smaller number. All
/// changes O(log n). After reserve(n) members below n come and go without allocation. Not thread-safe.
template <class Key>
class IndexedHeap {
 public:
  using Member = std::uint32_t;  ///< a number below reserve()'s

  /// Makes space for the members below `members`. Throws std::bad_alloc.
  void reserve(std::size_t members) {
    if (places_.size() < members) {
      nodes_.reserve(members);
      places_.resize(members, absent);
    }
  }

  /// @{
  /// How many members it holds.
  [[nodiscard]] bool empty() const noexcept { return nodes_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  /// @}
  /// Whether `member` is in it.
  [[nodiscard]] bool contains(Member member) const noexcept {
    return member < places_.size() && places_[member] != absent;
  }
  /// @{
  /// The first member, its key, and the key of any member that is in the heap; undefined where there is none.
  [[nodiscard]] Member top() const noexcept { return nodes_.front().member; }
  [[nodiscard]] const Key& top_key() const noexcept { return nodes_.front().key; }
  [[nodiscard]] const Key& key(Member member) const noexcept { return nodes_[places_[member]].key; }
  /// @}

  /// Puts `member` in with `key`, or gives it that key. Needs reserve() to have covered it.
  void set(Member member, Key key) noexcept {
    std::size_t place = places_[member];
    if (place == absent) {
      place = nodes_.size();
      nodes_.push_back({std::move(key), member});
    } else {
      nodes_[place].key = std::move(key);
    }
    sift_down(sift_up(place));
  }

  /// Takes `member` out, if it is in the heap. O(log n).
  void erase(Member member) noexcept {
    if (!contains(member)) {
      return;
    }
    const std::size_t place = places_[member];
    places_[member] = absent;
    Node last = std::move(nodes_.back());
    nodes_.pop_back();
    if (place < nodes_.size()) {
      nodes_[place] = std::move(last);
      sift_down(sift_up(place));
    }
  }

 private:
  struct Node {
    Key key;
    Member member;

    friend bool operator<(const Node& left, const Node& right) noexcept {
      return left.key < right.key || (!(right.key < left.key) && left.member < right.member);
    }
  };

  static constexpr std::uint32_t absent = 0xffffffffU;

  std::size_t sift_up(std::size_t place) noexcept {
    Node node = std::move(nodes_[place]);
    while (place != 0 && node < nodes_[(place - 1) / 2]) {
      put(place, std::move(nodes_[(place - 1) / 2]));
      place = (place - 1) / 2;
    }
    put(place, std::move(node));
    return place;
  }

  void sift_down(std::size_t place) noexcept {
    Node node = std::move(nodes_[place]);
    for (std::size_t child = 2 * place + 1; child < nodes_.size(); child = 2 * place + 1) {
      if (child + 1 < nodes_.size() && nodes_[child + 1] < nodes_[child]) {
        ++child;
      }
      if (!(nodes_[child] < node)) {
        break;
      }
      put(place, std::move(nodes_[child]));
      place = child;
    }
    put(place, std::move(node));
  }

  void put(std::size_t place, Node node) noexcept {
    places_[node.member] = static_cast<std::uint32_t>(place);
    nodes_[place] = std::move(node);
  }

  std::vector<Node> nodes_;
  std::vector<std::uint32_t> places_;
};

}  // namespace tokenpool::detail
