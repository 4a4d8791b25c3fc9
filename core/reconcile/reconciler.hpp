// SPDX-License-Identifier: Apache-2.0
// What a controller is: a Reconciler that brings the world closer to what one key asks for, and a loop around
// it that knows queues, back-off and logging, so that the reconciler knows none of them.
//
//   observe   ->  everything read, at one revision
//   plan      ->  pure, in the ring; tested with tables
//   apply     ->  writes with compare-and-swap; idempotent
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

#include "core/api/object.hpp"
#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/store/store.hpp"

namespace flotilla::reconcile {

// What is due: an object of a collection, whether it still exists or not.
struct Key {
  store::Collection collection;
  api::ObjectKey object;
  auto operator<=>(const Key&) const = default;
};

class [[nodiscard]] Outcome {
 public:
  enum class Kind : std::uint8_t { Done, Again, Retry, GiveUp };

  static Outcome done() { return Outcome(Kind::Done); }
  // Nothing is wrong; look again after `delay`.
  static Outcome again_in(Duration delay) {
    Outcome outcome(Kind::Again);
    outcome.delay_ = delay;
    return outcome;
  }
  // Failed; again with exponential back-off. A Conflict or Cancelled is retried without a word in the log.
  static Outcome retry(Error error) { return Outcome(Kind::Retry, std::move(error)); }
  // Failed, and only a change of the object can help.
  static Outcome give_up(Error error) { return Outcome(Kind::GiveUp, std::move(error)); }
  // done() or retry(its error).
  template <typename R>
  static Outcome of(R&& result) {
    return result.ok() ? done() : retry(std::forward<R>(result).error());
  }

  Kind kind() const { return kind_; }
  Duration delay() const { return delay_; }
  const Error& error() const { return error_; }

 private:
  explicit Outcome(Kind kind, Error error = {}) : kind_(kind), error_(std::move(error)) {}
  Kind kind_;
  Duration delay_{0};
  Error error_;
};

class Reconciler {
 public:
  virtual ~Reconciler() = default;
  // Runs on the loop's strand: other keys run only while this one awaits. Never twice at once for one key.
  virtual Task<Outcome> reconcile(Key key) = 0;
};

}  // namespace flotilla::reconcile
