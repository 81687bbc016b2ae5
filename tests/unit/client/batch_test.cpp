// A batch whose client fails where a real one hardly ever does.

#include "tokenpool/client/batch.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "catch_compat.hpp"

using namespace tokenpool;

namespace {

/// Its calls end, on threads of their own, when they are cancelled; for the third it has no thread.
class Client {
 public:
  void send_async(const Request& request, std::function<void(Result<Response>)> done) {
    if (++begun == 3) {
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
    auto cancelled = std::make_shared<std::promise<void>>();
    cancels_.push_back(
        std::make_unique<CancelRegistration>(request.cancel, [cancelled] { cancelled->set_value(); }));
    calls_.push_back(std::async(std::launch::async, [this, cancelled, done = std::move(done)] {
      cancelled->get_future().wait();
      ++ended;
      done(Unexpected(Error(ErrorCode::cancelled, "cancelled")));
    }));
  }

  std::size_t begun = 0;
  std::atomic<std::size_t> ended = 0;

 private:
  std::vector<std::unique_ptr<CancelRegistration>> cancels_;
  std::vector<std::future<void>> calls_;
};

}  // namespace

TEST_CASE("a batch whose client cannot begin a call cancels the others and throws") {
  Client client;
  detail::Batch<Client> batch(client, {.concurrency = 8});
  CHECK_THROWS_AS(batch.run(std::vector<Request>(5)), std::system_error);
  CHECK(client.begun == 3);
  CHECK(client.ended == 2);
}
