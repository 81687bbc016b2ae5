#include "run.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tokenpool/tokenpool.hpp>

#include "answer_book.hpp"
#include "board.hpp"
#include "console.hpp"
#include "demo_server.hpp"
#include "interruption.hpp"
#include "prompts.hpp"

namespace rotate {

namespace {

using Client = tokenpool::Client<tokenpool::AnyPolicy>;

/// So many prompts that fail one after the other are no longer the prompts' fault.
constexpr std::size_t hopeless = 10;

/// All that the worker threads share.
class Run {
 public:
  Run(const Settings& settings, const std::vector<std::string>& prompts, AnswerBook& book)
      : settings_(settings),
        prompts_(prompts),
        book_(book),
        places_(book.missing()),
        client_(options(), tokenpool::AnyPolicy(settings.policy)) {}

  Ending go() {
    std::vector<std::thread> workers;
    running_ = (std::min)(settings_.threads, places_.size());
    for (std::size_t count = running_; count != 0; --count) {
      workers.emplace_back([this] { work(); });
    }
    watch();
    for (std::thread& worker : workers) {
      worker.join();
    }
    book_.close();
    const std::size_t unanswered = book_.missing().size();
    report(unanswered);
    if (unanswered == 0) {
      return Ending::complete;
    }
    return interruption_.happened() ? Ending::interrupted : Ending::incomplete;
  }

 private:
  tokenpool::ClientOptions options() {
    tokenpool::ClientOptions options;
    if (settings_.demo()) {
      server_.emplace(settings_);
      options.base_url = server_->base_url();
      options.tokens = tokenpool::parse_tokens(DemoServer::tokens(settings_.tokens));
    } else {
      options.base_url = settings_.base_url;
      options.tokens = tokenpool::tokens_from_env(settings_.tokens_env);
    }
    options.limits = settings_.limits;
    options.retry.max_wait = settings_.max_wait;
    options.timeouts.total += settings_.max_wait;
    options.observer.on_retry = [this](const tokenpool::RetryEvent&) { ++retries_; };
    options.observer.on_ejected = [this](const tokenpool::EjectedEvent& event) {
      console_.say("token " + event.token_id + " is out of the pool: " + event.reason);
    };
    options.observer.on_shared_limit = [this](const tokenpool::SharedLimitEvent& event) {
      console_.say("several tokens were refused alike: the limit belongs to the " +
                   std::string(to_string(event.scope)) + " " + event.scope_id);
    };
    return options;
  }

  void work() {
    for (std::size_t next = next_++; next < places_.size() && !ending(); next = next_++) {
      try {
        ask(places_[next]);
      } catch (const std::exception& trouble) {
        stop(trouble.what());
      }
    }
    const std::lock_guard lock(mutex_);
    --running_;
    changed_.notify_all();
  }

  void ask(std::size_t place) {
    const nlohmann::json body{{"model", settings_.model},
                              {"messages", {{{"role", "user"}, {"content", prompts_[place]}}}}};
    const auto result = client_.try_send(
        {.method = "POST", .path = "/chat/completions", .body = body.dump(), .cancel = cancel_.token()});
    if (!result) {
      return failed(place, result.error());
    }
    const nlohmann::json answer = nlohmann::json::parse(result->body, nullptr, false);
    const nlohmann::json::json_pointer content("/choices/0/message/content");
    if (!result->ok()) {
      return give_up(place, "the server answered " + std::to_string(result->status) + ": " +
                                result->attempts.back().reason);
    }
    if (answer.is_discarded() || !answer.contains(content) || !answer.at(content).is_string()) {
      return give_up(place, "the server's answer has no chat message");
    }
    book_.add(place, answer.at(content), result->token_id);
    failed_in_a_row_ = 0;
    ++done_;
  }

  /// No answer: where other prompts would fare alike, nothing more is sent.
  void failed(std::size_t place, const tokenpool::Error& error) {
    using tokenpool::ErrorCode;
    const bool refused = error.response() && error.response()->status < 500;
    switch (error.code()) {
      case ErrorCode::cancelled: return;
      case ErrorCode::exhausted: return stop(error.what() + last_trouble(error));
      case ErrorCode::no_tokens:
      case ErrorCode::tls: return stop(error.what());
      case ErrorCode::http_status: return refused ? stop(error.what()) : give_up(place, error.what());
      default: return give_up(place, error.what());
    }
  }

  /// Why a network that rests does so; nothing where the server answered.
  static std::string last_trouble(const tokenpool::Error& error) {
    const auto& attempts = error.attempts();
    return attempts.empty() || attempts.back().status != 0 ? std::string()
                                                           : " (" + attempts.back().reason + ")";
  }

  /// The trouble of one prompt only ends that one.
  void give_up(std::size_t place, const std::string& reason) {
    ++failed_;
    console_.say("prompt " + std::to_string(place + 1) + ": " + reason);
    if (++failed_in_a_row_ == hopeless) {
      stop(std::to_string(hopeless) + " prompts in a row failed");
    }
  }

  /// Sends nothing more. What is under way goes on: its answers are paid for.
  void stop(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    if (reason_.empty()) {
      reason_ = reason;
    }
    stopped_ = true;
  }

  bool ending() const { return stopped_ || cancel_.cancelled(); }

  /// Shows the progress until the last worker is done.
  void watch() {
    for (bool done = false; !done;) {
      {
        std::unique_lock lock(mutex_);
        done = changed_.wait_for(lock, console_.pace(), [this] { return running_ == 0; });
      }
      console_.show(progress_lines(progress(), client_.stats(), console_.width()));
    }
  }

  Progress progress() const {
    return {done_, places_.size(), retries_, failed_, std::chrono::steady_clock::now() - started_};
  }

  void report(std::size_t unanswered) const {
    const tokenpool::PoolSnapshot pool = client_.stats();
    if (settings_.json) {
      std::cout << to_json(pool).dump(2) << std::endl;
    } else {
      std::cout << '\n' << final_table(pool) << '\n';
    }
    std::ostream& words = settings_.json ? std::cerr : std::cout;
    if (!reason_.empty()) {
      words << "stopped: " << reason_ << '\n';
    } else if (interruption_.happened()) {
      words << "interrupted: what was answered is kept\n";
    }
    words << prompts_.size() - unanswered << " of " << prompts_.size() << " prompts answered, in "
          << settings_.output << '\n';
    if (unanswered != 0) {
      words << "Run it again to go on with the rest.\n";
    }
    words << std::flush;
  }

  const Settings& settings_;
  const std::vector<std::string>& prompts_;
  AnswerBook& book_;
  const std::vector<std::size_t> places_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  Console console_;
  tokenpool::CancelSource cancel_;
  const Interruption interruption_{cancel_};  // before any other thread

  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> done_{0};
  std::atomic<std::size_t> retries_{0};
  std::atomic<std::size_t> failed_{0};
  std::atomic<std::size_t> failed_in_a_row_{0};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t running_ = 0;
  std::string reason_;
  std::optional<DemoServer> server_;
  Client client_;  // last: it is told of the server, and its callbacks use the members above
};

}  // namespace

Ending run(const Settings& settings) {
  const std::vector<std::string> prompts = read_prompts(settings.prompts);
  AnswerBook book(settings.output, prompts);
  if (book.missing().empty() && settings.output == demo_output) {
    std::cerr << "all prompts are answered in " << settings.output << ": the demo begins again\n";
    book.clear();
  }
  const std::size_t missing = book.missing().size();
  if (missing == 0) {
    (settings.json ? std::cerr : std::cout)
        << "all " << prompts.size() << " prompts are answered in " << settings.output << '\n';
    return Ending::complete;
  }
  if (missing != prompts.size()) {
    std::cerr << prompts.size() - missing << " prompts are answered already; going on with the rest\n";
  }
  return Run(settings, prompts, book).go();
}

}  // namespace rotate
