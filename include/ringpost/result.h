// A value or the reason why there is none: how ringpost tells of everything that the network, the
// input or the machine can cause.
//
// It has the part of std::expected (C++23) that ringpost uses, under its names, and can be replaced
// by it. Reading what is not there is a mistake of the reader's, as it is with std::optional, and
// is not checked.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace ringpost {

// The reason, on its way into a Result: `return Failure(reason);`.
template <typename E>
class Failure {
 public:
  explicit Failure(E error) : error_(std::move(error)) {}

  [[nodiscard]] E& error() { return error_; }
  [[nodiscard]] const E& error() const { return error_; }

 private:
  E error_;
};

template <typename T, typename E>
class [[nodiscard]] Result {
 public:
  // From whatever makes a T, and from a Failure of whatever makes an E: both without a word, since
  // a function that returns a Result has nothing else to say.
  template <typename U = T>
  requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, Result>)
      Result(U&& value)
      : held_(std::in_place_index<0>, std::forward<U>(value)) {}
  template <typename G>
  requires std::is_convertible_v<G, E> Result(Failure<G> failure)
      : held_(std::in_place_index<1>, std::move(failure.error())) {}
  Result() requires std::is_default_constructible_v<T>
  = default;

  [[nodiscard]] bool has_value() const { return held_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  [[nodiscard]] T& operator*() & { return *std::get_if<0>(&held_); }
  [[nodiscard]] const T& operator*() const& { return *std::get_if<0>(&held_); }
  [[nodiscard]] T&& operator*() && { return std::move(*std::get_if<0>(&held_)); }
  [[nodiscard]] T* operator->() { return std::get_if<0>(&held_); }
  [[nodiscard]] const T* operator->() const { return std::get_if<0>(&held_); }

  // Throws std::bad_variant_access where there is no value: for tests, which want to be told.
  [[nodiscard]] T& value() & { return std::get<0>(held_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(held_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(held_)); }

  [[nodiscard]] E& error() & { return *std::get_if<1>(&held_); }
  [[nodiscard]] const E& error() const& { return *std::get_if<1>(&held_); }
  [[nodiscard]] E&& error() && { return std::move(*std::get_if<1>(&held_)); }

  template <typename U>
    requires(!std::is_same_v<U, Result>)
  friend bool operator==(const Result& result, const U& value) {
    return result.has_value() && *result == value;
  }

  template <typename U>
  [[nodiscard]] T value_or(U&& otherwise) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(otherwise));
  }
  template <typename U>
  [[nodiscard]] T value_or(U&& otherwise) && {
    return has_value() ? std::move(**this) : static_cast<T>(std::forward<U>(otherwise));
  }

  // The same reason, or what `next` makes of the value: another value, or another Result.
  template <typename F>
  auto transform(F&& next) && -> Result<std::invoke_result_t<F, T&&>, E> {
    if (!has_value()) {
      return Failure<E>(std::move(error()));
    }
    return std::forward<F>(next)(std::move(**this));
  }
  template <typename F>
  auto and_then(F&& next) && -> std::invoke_result_t<F, T&&> {
    if (!has_value()) {
      return Failure<E>(std::move(error()));
    }
    return std::forward<F>(next)(std::move(**this));
  }

 private:
  std::variant<T, E> held_;
};

// Done, or the reason why not.
template <typename E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  template <typename G>
  requires std::is_convertible_v<G, E> Result(Failure<G> failure)
      : error_(std::move(failure.error())) {}

  [[nodiscard]] bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }

  [[nodiscard]] E& error() & { return *error_; }
  [[nodiscard]] const E& error() const& { return *error_; }
  [[nodiscard]] E&& error() && { return std::move(*error_); }

  template <typename F>
  auto transform(F&& next) && -> Result<std::invoke_result_t<F>, E> {
    if (error_) {
      return Failure<E>(std::move(*error_));
    }
    return std::forward<F>(next)();
  }
  template <typename F>
  auto and_then(F&& next) && -> std::invoke_result_t<F> {
    if (error_) {
      return Failure<E>(std::move(*error_));
    }
    return std::forward<F>(next)();
  }

 private:
  std::optional<E> error_;
};

}  // namespace ringpost
