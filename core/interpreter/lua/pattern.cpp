// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/lua/pattern.hpp"

#include <cctype>
#include <cstring>

namespace flotilla::interpreter {

namespace {

bool in_letter_class(char letter, unsigned char c) {
  bool inside = false;
  switch (std::tolower(static_cast<unsigned char>(letter))) {
    case 'a':
      inside = std::isalpha(c) != 0;
      break;
    case 'c':
      inside = std::iscntrl(c) != 0;
      break;
    case 'd':
      inside = std::isdigit(c) != 0;
      break;
    case 'l':
      inside = std::islower(c) != 0;
      break;
    case 'p':
      inside = std::ispunct(c) != 0;
      break;
    case 's':
      inside = std::isspace(c) != 0;
      break;
    case 'u':
      inside = std::isupper(c) != 0;
      break;
    case 'w':
      inside = std::isalnum(c) != 0;
      break;
    case 'x':
      inside = std::isxdigit(c) != 0;
      break;
    case 'z':
      inside = c == 0;
      break;
    default:
      return static_cast<unsigned char>(letter) == c;
  }
  return std::isupper(static_cast<unsigned char>(letter)) != 0 ? !inside : inside;
}

// `begin` is after the bracket, `end` is the closing one.
bool in_set(const char* begin, const char* end, unsigned char c) {
  bool negated = begin < end && *begin == '^';
  if (negated) ++begin;
  bool inside = false;
  while (begin < end && !inside) {
    if (*begin == '%' && begin + 1 < end) {
      inside = in_letter_class(begin[1], c);
      begin += 2;
    } else if (begin + 2 < end && begin[1] == '-') {
      inside = static_cast<unsigned char>(begin[0]) <= c && c <= static_cast<unsigned char>(begin[2]);
      begin += 3;
    } else {
      inside = static_cast<unsigned char>(*begin++) == c;
    }
  }
  return inside != negated;
}

bool in_class(const char* begin, const char* end, unsigned char c) {
  if (*begin == '.' && end == begin + 1) return true;
  if (*begin == '%') return in_letter_class(begin[1], c);
  if (*begin == '[') return in_set(begin + 1, end - 1, c);
  return static_cast<unsigned char>(*begin) == c;
}

}  // namespace

PatternMatcher::PatternMatcher(std::string_view subject, std::string_view pattern, std::uint64_t& steps)
    : subject_(subject), steps_(steps) {
  compile(pattern);
}

const char* PatternMatcher::match(const char* start) {
  capture_count_ = 0;
  return fault_ == nullptr ? run(0, start) : nullptr;
}

void PatternMatcher::fail(const char* why) {
  if (fault_ == nullptr) fault_ = why;
}

bool PatternMatcher::spend(std::uint64_t steps) {
  if (steps_ < steps) {
    steps_ = 0;
    fail("pattern too complex: the limit of matching steps is reached");
  } else {
    steps_ -= steps;
  }
  return fault_ == nullptr;
}

void PatternMatcher::compile(std::string_view pattern) {
  const char* at = pattern.data();
  const char* end = at + pattern.size();
  while (at != end && fault_ == nullptr) {
    if (item_count_ == kMaxItems) return fail("pattern too long");
    Item& item = items_[static_cast<std::size_t>(item_count_++)];
    item = {Kind::Single, 0, at, at + 1, 0};
    if (*at == '(') {
      bool position = at + 1 != end && at[1] == ')';
      item.kind = position ? Kind::Position : Kind::Open;
      at += position ? 2 : 1;
    } else if (*at == ')') {
      item.kind = Kind::Close;
      ++at;
    } else if (*at == '$' && at + 1 == end) {
      item.kind = Kind::End;
      ++at;
    } else {
      at = *at == '%' ? compile_escape(at, end, item) : class_end(at, end);
      if (at == nullptr) return;
      if (item.kind != Kind::Single) continue;
      item.end = at;
      if (at != end && *at != 0 && std::strchr("*+-?", *at) != nullptr) item.repeat = *at++;
    }
  }
}

// Behind what begins with a %; null and a fault when it is not whole.
const char* PatternMatcher::compile_escape(const char* at, const char* end, Item& item) {
  if (at + 1 == end) return fail("malformed pattern (ends with '%')"), nullptr;
  if (at[1] == 'b') {
    if (end - at < 4) return fail("unbalanced pattern"), nullptr;
    item.kind = Kind::Balance;
    item.begin = at + 2;
    return at + 4;
  }
  if (at[1] == 'f') {
    if (at + 2 == end || at[2] != '[') return fail("missing '[' after '%f' in pattern"), nullptr;
    item.kind = Kind::Frontier;
    item.begin = at + 2;
    item.end = class_end(at + 2, end);
    return item.end;
  }
  if (std::isdigit(static_cast<unsigned char>(at[1])) != 0) {
    item.kind = Kind::Again;
    item.number = at[1] - '1';
    return at + 2;
  }
  return at + 2;
}

const char* PatternMatcher::class_end(const char* at, const char* end) {
  if (*at != '[') return at + 1;
  ++at;
  if (at != end && *at == '^') ++at;
  // A bracket that stands first is one of the set.
  do {
    if (at == end) return fail("malformed pattern (missing ']')"), nullptr;
    if (*at++ == '%') {
      if (at == end) return fail("malformed pattern (missing ']')"), nullptr;
      ++at;
    }
  } while (at == end || *at != ']');
  return at + 1;
}

const char* PatternMatcher::run(int number, const char* at) {
  for (; number != item_count_; ++number) {
    if (!spend(1)) return nullptr;
    const Item& item = items_[static_cast<std::size_t>(number)];
    switch (item.kind) {
      case Kind::Single: {
        if (item.repeat != 0) return run_single(number, at);
        if (!fits(item, at)) return nullptr;
        ++at;
        break;
      }
      case Kind::Open:
      case Kind::Position: {
        if (capture_count_ == kMaxCaptures) return fail("too many captures"), nullptr;
        bool position = item.kind == Kind::Position;
        captures_[static_cast<std::size_t>(capture_count_++)] = {at, position ? at : nullptr, position};
        const char* end = run(number + 1, at);
        if (end == nullptr) --capture_count_;
        return end;
      }
      case Kind::Close:
        return run_close(number, at);
      case Kind::Balance:
        at = balance(item, at);
        if (at == nullptr) return nullptr;
        break;
      case Kind::Again:
        at = again(item, at);
        if (at == nullptr) return nullptr;
        break;
      case Kind::Frontier:
        if (!is_frontier(item, at)) return nullptr;
        break;
      case Kind::End:
        if (at != subject_.data() + subject_.size()) return nullptr;
        break;
    }
  }
  return at;
}

const char* PatternMatcher::run_single(int number, const char* at) {
  const Item& item = items_[static_cast<std::size_t>(number)];
  if (item.repeat == '?') {
    if (fits(item, at)) {
      if (const char* end = run(number + 1, at + 1)) return end;
    }
    return run(number + 1, at);
  }
  if (item.repeat == '-') {
    while (true) {
      if (const char* end = run(number + 1, at)) return end;
      if (!spend(1) || !fits(item, at)) return nullptr;
      ++at;
    }
  }
  const char* last = at;
  while (fits(item, last)) ++last;
  if (!spend(static_cast<std::uint64_t>(last - at))) return nullptr;
  const char* first = item.repeat == '+' ? at + 1 : at;
  for (; last >= first; --last) {
    if (const char* end = run(number + 1, last)) return end;
    if (fault_ != nullptr) return nullptr;
  }
  return nullptr;
}

const char* PatternMatcher::run_close(int number, const char* at) {
  int open = capture_count_ - 1;
  while (open >= 0 && captures_[static_cast<std::size_t>(open)].end != nullptr) --open;
  if (open < 0) return fail("invalid pattern capture"), nullptr;
  Capture& capture = captures_[static_cast<std::size_t>(open)];
  capture.end = at;
  const char* end = run(number + 1, at);
  if (end == nullptr) capture.end = nullptr;
  return end;
}

const char* PatternMatcher::balance(const Item& item, const char* at) {
  const char* limit = subject_.data() + subject_.size();
  if (at == limit || *at != item.begin[0]) return nullptr;
  int depth = 1;
  for (const char* here = at + 1; here != limit; ++here) {
    if (*here == item.begin[1]) {
      if (--depth == 0) return spend(static_cast<std::uint64_t>(here - at)) ? here + 1 : nullptr;
    } else if (*here == item.begin[0]) {
      ++depth;
    }
  }
  spend(static_cast<std::uint64_t>(limit - at));
  return nullptr;
}

const char* PatternMatcher::again(const Item& item, const char* at) {
  if (item.number < 0 || item.number >= capture_count_ ||
      captures_[static_cast<std::size_t>(item.number)].end == nullptr) {
    return fail("invalid capture index"), nullptr;
  }
  const Capture& capture = captures_[static_cast<std::size_t>(item.number)];
  std::size_t size = static_cast<std::size_t>(capture.end - capture.begin);
  const char* limit = subject_.data() + subject_.size();
  if (!spend(size) || static_cast<std::size_t>(limit - at) < size) return nullptr;
  return std::memcmp(capture.begin, at, size) == 0 ? at + size : nullptr;
}

bool PatternMatcher::is_frontier(const Item& item, const char* at) {
  const char* limit = subject_.data() + subject_.size();
  unsigned char before = at == subject_.data() ? 0 : static_cast<unsigned char>(at[-1]);
  unsigned char here = at == limit ? 0 : static_cast<unsigned char>(*at);
  return !in_set(item.begin + 1, item.end - 1, before) && in_set(item.begin + 1, item.end - 1, here);
}

bool PatternMatcher::fits(const Item& item, const char* at) {
  return at != subject_.data() + subject_.size() &&
         in_class(item.begin, item.end, static_cast<unsigned char>(*at));
}

}  // namespace flotilla::interpreter
