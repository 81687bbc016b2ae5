#pragma once
// A simulated caller: what the blocking client does in a thread (look for a lease, send, settle, ask the
// attempt machine what is next), done by events.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "answers.hpp"
#include "stage.hpp"
#include "tokenpool/retry/attempts.hpp"
#include "tokenpool/retry/classify.hpp"

namespace simulator {

class Call final : public tokenpool::Wakeable, public std::enable_shared_from_this<Call> {
 public:
  Call(Stage& stage, std::size_t number, CallPlan plan, std::function<void()> on_end)
      : stage_(stage),
        number_(number),
        plan_(std::move(plan)),
        on_end_(std::move(on_end)),
        attempts_(stage.world.retry, stage.budget, stage.random, facts()) {}

  void begin() {
    stage_.tell([&](Listener& listener) { listener.began(number_, now()); });
    const auto end_by = [this](std::optional<Length> when, tokenpool::ErrorCode why) {
      if (when) {
        stage_.loop.after(*when, [self = shared_from_this(), why] { self->give_up(why); });
      }
    };
    end_by(plan_.cancelled, tokenpool::ErrorCode::cancelled);
    end_by(plan_.deadline, tokenpool::ErrorCode::deadline_exceeded);
    look_for_lease();
  }

  /// The pool's word that there is news; what was waiting runs a little later, as a thread does.
  void wake() noexcept override {
    if (!granted_at_ && waiter_ && waiter_->granted) {
      granted_at_ = now();
    }
    stage_.loop.after(stage_.dice.between(Length::zero(), stage_.world.wake_up), resume_in_this_wait());
  }

 private:
  /// One request on its way.
  struct Exchange {
    std::optional<tokenpool::Lease> lease;
    Granted granted;
    Instant sent_at{};
    Length work{};  ///< from the arrival to the answer
    bool on_its_way = false;
    bool at_work = false;  ///< the service sees it as in flight
    bool abandoned = false;
    Decision decision{};
  };

  [[nodiscard]] Instant now() const { return stage_.loop.now(); }

  [[nodiscard]] tokenpool::CallFacts facts() const {
    return {.safe_to_repeat = plan_.safe_to_repeat,
            .deadline = plan_.deadline ? Stage::steady(now() + *plan_.deadline) : tokenpool::end_of_time};
  }

  /// Calls with the same needs are equals in the queue.
  [[nodiscard]] std::string needs() const {
    std::string text = plan_.bucket + '/' + std::to_string(plan_.cost);
    for (const tokenpool::SlotNumber slot : attempts_.asked()) {
      text += '/' + std::to_string(slot);
    }
    return text;
  }

  void look_for_lease() {
    if (ended_) {
      return;
    }
    search_ = {number_, &plan_, needs(), ++stage_.searches};
    waiter_.emplace();
    waiter_->request = {plan_.bucket, plan_.cost, plan_.affinity, attempts_.asked()};
    waiter_->wakeable = shared_from_this();
    looked_at_ = now();
    granted_at_.reset();
    std::optional<tokenpool::Acquired> acquired =
        stage_.pool.acquire_or_join(*waiter_, stage_.now(), refusal_);
    if (acquired) {
      waiter_.reset();
      return got(std::move(*acquired));
    }
    stage_.tell([&](Listener& listener) { listener.waits(search_, now()); });
    patience_ = attempts_.patience(stage_.now().steady);
    sleep();
  }

  void sleep() {
    if (refusal_.when > patience_ && refusal_.when != tokenpool::end_of_time) {
      return end({0, tokenpool::ErrorCode::exhausted});
    }
    const Instant until = Stage::instant((std::min)(patience_, stage_.pool.sleep_until(*waiter_)));
    if (until != never) {
      stage_.loop.at(until, resume_in_this_wait());
    }
  }

  /// What wakes a sleep that is already over does nothing.
  std::function<void()> resume_in_this_wait() {
    return [self = shared_from_this(), sleep = sleeps_] {
      if (self->waiter_ && self->sleeps_ == sleep) {
        self->resume();
      }
    };
  }

  void resume() {
    ++sleeps_;
    stage_.pool.tick(stage_.now());
    if (std::optional<tokenpool::Acquired> acquired = stage_.pool.collect(*waiter_)) {
      const Instant granted_at = granted_at_.value_or(now());
      attempts_.waited(now() - looked_at_);
      waiter_.reset();
      granted_at_ = granted_at;
      return got(std::move(*acquired));
    }
    refusal_ = stage_.pool.refusal(*waiter_);
    if (stage_.now().steady >= patience_) {
      return end({0, tokenpool::ErrorCode::exhausted});
    }
    sleep();
  }

  void got(tokenpool::Acquired acquired) {
    if (tokenpool::Lease* lease = std::get_if<tokenpool::Lease>(&acquired)) {
      return send(std::move(*lease));
    }
    const tokenpool::Never& reason = std::get<tokenpool::Never>(acquired);
    stage_.tell([&](Listener& listener) { listener.gave_up_waiting(search_, now()); });
    if (reason.reason == tokenpool::Never::Reason::all_asked) {
      return end({last_status_, {}});
    }
    end({0, reason.reason == tokenpool::Never::Reason::no_tokens ? tokenpool::ErrorCode::no_tokens
                                                                 : tokenpool::ErrorCode::invalid_request});
  }

  void send(tokenpool::Lease lease) {
    const std::string token = lease.credential().token_id;
    exchange_ = std::make_shared<Exchange>();
    exchange_->granted = {search_,
                          {token, stage_.account_of(token), lease.egress(), plan_.bucket, plan_.true_cost},
                          lease.grant().ticket,
                          granted_at_.value_or(now()),
                          now() - looked_at_};
    exchange_->sent_at = now();
    exchange_->lease = std::move(lease);
    stage_.tell([&](Listener& listener) { listener.granted(exchange_->granted); });
    travel(exchange_);
  }

  /// Plans everything that will happen to a request.
  void travel(const std::shared_ptr<Exchange>& exchange) {
    const Network& network = stage_.world.network;
    Dice& dice = stage_.dice;
    const auto self = shared_from_this();
    if (dice.chance(network.no_connection)) {
      return stage_.loop.after(network.way_least, [self, exchange] {
        self->fail(*exchange, {tokenpool::FailureKind::connect, false, "no connection"});
      });
    }
    exchange->on_its_way = true;
    exchange->lease->mark_sent(Stage::steady(now() + network.longest()));
    const Instant arrival = now() + dice.between(network.way_least, network.way_most);
    const Instant answer = arrival + dice.between(network.work_least, network.work_most);
    exchange->work = answer - arrival;
    const Instant back = answer + dice.between(network.way_least, network.way_most);
    const bool lost_before = dice.chance(network.lost_before);
    if (!lost_before) {
      visit_service(exchange, arrival, answer);
    }
    if (lost_before || dice.chance(network.lost_after)) {
      return stage_.loop.after(network.loss_noticed, [self, exchange] {
        self->fail(*exchange, {tokenpool::FailureKind::lost, true, "connection lost"});
      });
    }
    stage_.loop.at(back, [self, exchange] { self->receive(*exchange); });
  }

  void visit_service(const std::shared_ptr<Exchange>& exchange, Instant arrival, Instant answer) {
    const auto self = shared_from_this();
    const CountedAt counted = stage_.service.options().counted_at;
    const Instant when = counted == CountedAt::arrival  ? arrival
                         : counted == CountedAt::answer ? answer
                                                        : stage_.dice.between(arrival, answer);
    stage_.loop.at(arrival, [self, exchange] { self->begin_work(*exchange); });
    stage_.loop.at(when, [self, exchange] {
      const Knock& knock = exchange->granted.knock;
      exchange->decision = self->stage_.service.decide(knock, self->now());
      self->stage_.tell(
          [&](Listener& listener) { listener.decided(knock, exchange->decision, self->now()); });
    });
    stage_.loop.at(answer, [self, exchange] { self->end_work(*exchange); });
  }

  void begin_work(Exchange& exchange) {
    if (!exchange.abandoned) {
      exchange.at_work = true;
      stage_.service.arrive(exchange.granted.knock);
    }
  }

  /// The service stops working on what is answered, or when nobody is there any more to take the answer.
  void end_work(Exchange& exchange) {
    if (std::exchange(exchange.at_work, false)) {
      stage_.service.leave(exchange.granted.knock);
    }
  }

  void receive(Exchange& exchange) {
    if (exchange.abandoned) {
      return;
    }
    const ServiceOptions& service = stage_.service.options();
    const tokenpool::Answer answer = answer_for(exchange.decision, service, stage_.server_seconds());
    tokenpool::Outcome outcome;
    outcome.meaning = tokenpool::classify(answer, stage_.now().wall);
    outcome.answered = true;
    outcome.answered_at = stage_.now().steady;
    if (stage_.world.network.tells_work) {
      outcome.arrived_by = Stage::steady(now() - exchange.work);
    }
    outcome.latency = now() - exchange.sent_at;
    outcome.cost = exchange.granted.knock.cost;
    last_status_ = answer.status;
    const std::optional<Length> word =
        answer.status == 429 ? promised(exchange.decision, service.word) : std::nullopt;
    const tokenpool::SlotNumber slot = exchange.lease->slot();
    const bool endpoint_at_fault = settle(exchange, outcome,
                                          {exchange.granted, true, true, answer.status, word,
                                           exchange.decision.scope, service.names_scope, now()});
    next(attempts_.answered(outcome.meaning, slot, endpoint_at_fault, stage_.now().steady));
  }

  void fail(Exchange& exchange, const tokenpool::TransportFailure& failure) {
    if (exchange.abandoned) {
      return;
    }
    tokenpool::Outcome outcome;
    outcome.sent = failure.sent;
    outcome.meaning.verdict =
        failure.sent ? tokenpool::Verdict::ambiguous : tokenpool::Verdict::network_error;
    outcome.answered_at = stage_.now().steady;
    settle(exchange, outcome, {exchange.granted, failure.sent, false, 0, {}, {}, false, now()});
    next(attempts_.failed(failure, stage_.now().steady));
  }

  bool settle(Exchange& exchange, const tokenpool::Outcome& outcome, const Settlement& settlement) {
    tokenpool::Lease lease = *std::exchange(exchange.lease, std::nullopt);
    exchange_.reset();
    stage_.tell([&](Listener& listener) { listener.settled(settlement, now()); });
    return lease.settle(outcome, stage_.now()).endpoint_at_fault;
  }

  void next(const tokenpool::NextAction& action) {
    if (std::holds_alternative<tokenpool::SendNext>(action)) {
      return look_for_lease();
    }
    if (const auto* later = std::get_if<tokenpool::SendAt>(&action)) {
      return stage_.loop.at(Stage::instant(later->when),
                            [self = shared_from_this()] { self->look_for_lease(); });
    }
    if (const auto* failed = std::get_if<tokenpool::Fail>(&action)) {
      return end({0, failed->code});
    }
    end({last_status_, {}});
  }

  /// The caller cancels, or the deadline has come: in whatever the call is doing.
  void give_up(tokenpool::ErrorCode why) {
    if (!ended_) {
      end({0, why});
    }
  }

  void end(const Ending& ending) {
    ended_ = true;
    if (waiter_) {
      stage_.tell([&](Listener& listener) { listener.gave_up_waiting(search_, now()); });
      static_cast<void>(stage_.pool.leave(*waiter_));
      waiter_.reset();
    }
    if (exchange_) {
      // Nobody knows how far the request has come: the lease, destroyed unsettled, counts as long as it may.
      const auto exchange = std::exchange(exchange_, nullptr);
      exchange->abandoned = true;
      end_work(*exchange);
      stage_.tell([&](Listener& listener) {
        listener.settled({exchange->granted,
                          exchange->on_its_way,
                          false,
                          0,
                          {},
                          {},
                          false,
                          exchange->sent_at + stage_.world.network.longest()},
                         now());
      });
      exchange->lease.reset();
    }
    stage_.tell([&](Listener& listener) { listener.ended(number_, ending, now()); });
    if (on_end_) {
      on_end_();
    }
  }

  Stage& stage_;
  std::size_t number_;
  CallPlan plan_;
  std::function<void()> on_end_;
  tokenpool::Attempts attempts_;
  Search search_{};
  std::optional<tokenpool::Waiter> waiter_;
  tokenpool::NotUntil refusal_{};
  tokenpool::SteadyTime patience_{};
  Instant looked_at_{};
  std::optional<Instant> granted_at_{};
  std::uint64_t sleeps_ = 0;
  std::shared_ptr<Exchange> exchange_;
  int last_status_ = 0;
  bool ended_ = false;
};

}  // namespace simulator
