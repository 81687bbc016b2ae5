#pragma once
// All connections: how many there are, which of them wait for their client, and when the last one is done.
// A newcomer who finds the house full takes the place of who has been idle longest, so that idle connections
// keep nobody out.

#include <cstddef>
#include <functional>
#include <list>
#include <utility>

namespace gateway {

/// A connection as the crowd knows it.
class Member {
 public:
  Member() = default;
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  virtual ~Member() = default;

  /// Closes the connection at once; it leaves the crowd.
  virtual void expel() noexcept = 0;
};

/// The connections, in the order in which they became idle or busy. Used on the gateway's thread.
class Crowd {
 public:
  using List = std::list<Member*>;

  /// A connection's place, as long as it lives.
  class Place {
   public:
    Place(Crowd& crowd, Member& member)
        : crowd_(crowd), at_(crowd.idle_.insert(crowd.idle_.end(), &member)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      (busy_ ? crowd_.busy_ : crowd_.idle_).erase(at_);
      crowd_.look();
    }

    /// It has a request to serve.
    void set_busy(bool busy) {
      if (busy_ == busy) return;
      List& from = busy_ ? crowd_.busy_ : crowd_.idle_;
      List& to = busy ? crowd_.busy_ : crowd_.idle_;
      to.splice(to.end(), from, at_);
      busy_ = busy;
      crowd_.look();
    }

   private:
    Crowd& crowd_;
    List::iterator at_;
    bool busy_ = false;
  };

  [[nodiscard]] std::size_t size() const noexcept { return idle_.size() + busy_.size(); }
  [[nodiscard]] std::size_t busy() const noexcept { return busy_.size(); }

  /// Makes room for one more among `most`; false if all are busy.
  bool make_room(std::size_t most) {
    while (size() >= most && !idle_.empty()) idle_.front()->expel();
    return size() < most;
  }

  /// Calls `calm` when nobody is busy, once.
  void when_calm(std::function<void()> calm) {
    calm_ = std::move(calm);
    look();
  }

  void expel_all() {
    for (List* list : {&idle_, &busy_}) {
      while (!list->empty()) list->front()->expel();
    }
  }

 private:
  void look() {
    if (calm_ && busy_.empty()) std::exchange(calm_, nullptr)();
  }

  List idle_;
  List busy_;
  std::function<void()> calm_;
};

}  // namespace gateway
