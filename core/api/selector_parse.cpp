// SPDX-License-Identifier: Apache-2.0
// The texts of label and field selectors.
//
//   selector    = "" | requirement { "," requirement }
//   requirement = key | "!" key | key op value | key ("in" | "notin") "(" list ")"
//   op          = "=" | "==" | "!=" | ">" | "<"
//   list        = "" | [value] { "," [value] }        an absent value is the empty one
#include <algorithm>
#include <array>

#include "core/api/selector.hpp"

namespace flotilla::api {
namespace {

using Operator = Requirement::Operator;

enum class Token : std::uint8_t {
  End,
  Comma,
  Open,
  Close,
  Not,
  Equal,
  NotEqual,
  Greater,
  Less,
  In,
  NotIn,
  Word
};

bool is_special(char c) {
  return std::string_view("=!(),><").find(c) != std::string_view::npos;
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

class SelectorParser {
 public:
  explicit SelectorParser(std::string_view text) { scan(text); }

  Result<std::vector<Requirement>> parse() {
    std::vector<Requirement> requirements;
    while (true) {
      const Token next = peek_value();
      if (next == Token::End) return requirements;
      if (next != Token::Word && next != Token::Not) {
        return bad_request("found '" + text() + "', expected: !, identifier, or 'end of string'");
      }
      auto requirement = parse_requirement();
      if (!requirement) return std::move(requirement).context("unable to parse requirement");
      requirements.push_back(std::move(*requirement));
      const Token after = peek();
      if (after == Token::End) return requirements;
      if (after != Token::Comma) return expected("',' or 'end of string'");
      ++at_;
      const Token start = peek_value();
      if (start != Token::Word && start != Token::Not) return expected("identifier after ','");
    }
  }

 private:
  struct Lexeme {
    Token token;
    std::string text;
  };

  void scan(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
      if (is_space(text[i])) {
        ++i;
        continue;
      }
      if (is_special(text[i])) {
        i += scan_special(text.substr(i));
        continue;
      }
      std::size_t end = i;
      while (end < text.size() && !is_special(text[end]) && !is_space(text[end])) ++end;
      std::string word(text.substr(i, end - i));
      const Token token = word == "in" ? Token::In : word == "notin" ? Token::NotIn : Token::Word;
      lexemes_.push_back({token, std::move(word)});
      i = end;
    }
    lexemes_.push_back({Token::End, ""});
  }

  std::size_t scan_special(std::string_view text) {
    const bool before_equal = text.size() > 1 && text[1] == '=';
    const auto add = [&](Token token, std::size_t length) {
      lexemes_.push_back({token, std::string(text.substr(0, length))});
      return length;
    };
    switch (text[0]) {
      case '=':
        return add(Token::Equal, before_equal ? 2 : 1);
      case '!':
        return before_equal ? add(Token::NotEqual, 2) : add(Token::Not, 1);
      case '(':
        return add(Token::Open, 1);
      case ')':
        return add(Token::Close, 1);
      case ',':
        return add(Token::Comma, 1);
      case '>':
        return add(Token::Greater, 1);
      default:
        return add(Token::Less, 1);
    }
  }

  Token peek() const { return lexemes_[at_].token; }
  // Where a value may stand, the keywords are values.
  Token peek_value() const {
    const Token token = peek();
    return token == Token::In || token == Token::NotIn ? Token::Word : token;
  }
  const std::string& text() const { return lexemes_[at_].text; }
  void step() {
    if (at_ + 1 < lexemes_.size()) ++at_;
  }
  Error expected(std::string_view what) const {
    return bad_request("found '" + text() + "', expected: " + std::string(what));
  }

  Result<Requirement> parse_requirement() {
    const bool negated = peek() == Token::Not;
    if (negated) step();
    if (peek_value() != Token::Word) return expected("identifier");
    const std::string key = text();
    const std::vector<std::string> faults = validate_label_key(key);
    if (!faults.empty()) {
      std::string message = "<nil>: Invalid value: " + Json(key).dump() + ": ";
      for (const std::string& fault : faults) message += (&fault == faults.data() ? "" : "; ") + fault;
      return bad_request(std::move(message));
    }
    step();
    if (negated) return as_bad_request(Requirement::make(key, Operator::DoesNotExist, {}));
    switch (peek()) {
      case Token::End:
      case Token::Comma:
        return as_bad_request(Requirement::make(key, Operator::Exists, {}));
      case Token::In:
        return with_list(key, Operator::In);
      case Token::NotIn:
        return with_list(key, Operator::NotIn);
      case Token::Equal:
        return with_value(key, Operator::In);
      case Token::NotEqual:
        return with_value(key, Operator::NotIn);
      case Token::Greater:
        return with_value(key, Operator::GreaterThan);
      case Token::Less:
        return with_value(key, Operator::LessThan);
      default:
        return expected("in, notin, =, ==, !=, gt, lt");
    }
  }

  Result<Requirement> with_value(const std::string& key, Operator op) {
    step();
    std::string value;
    const Token next = peek_value();
    if (next == Token::Word) {
      value = text();
      step();
    } else if (next != Token::End && next != Token::Comma) {
      return expected("identifier");
    }
    return as_bad_request(Requirement::make(key, op, {std::move(value)}));
  }

  Result<Requirement> with_list(const std::string& key, Operator op) {
    step();
    if (peek() != Token::Open) return bad_request("found '" + text() + "' expected: '('");
    step();
    std::vector<std::string> values;
    bool value_due = true;  // at the start and after each comma
    while (peek() != Token::Close) {
      const Token next = peek_value();
      if (next == Token::Comma) {
        if (value_due) values.emplace_back();
        value_due = true;
      } else if (next == Token::Word && value_due) {
        values.push_back(text());
        value_due = false;
      } else {
        return expected(value_due ? "',', ')' or identifier" : "',' or ')'");
      }
      step();
    }
    if (value_due) values.emplace_back();
    step();
    return as_bad_request(Requirement::make(key, op, std::move(values)));
  }

  static Result<Requirement> as_bad_request(Result<Requirement> made) {
    if (made) return made;
    return bad_request(made.error().message());
  }

  std::vector<Lexeme> lexemes_;
  std::size_t at_ = 0;
};

// Splits at commas that no backslash precedes.
std::vector<std::string_view> split_terms(std::string_view text) {
  std::vector<std::string_view> terms;
  std::size_t start = 0;
  bool escaped = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (escaped) {
      escaped = false;
    } else if (text[i] == '\\') {
      escaped = true;
    } else if (text[i] == ',') {
      terms.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  terms.push_back(text.substr(start));
  return terms;
}

Result<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      const std::string_view sequence = text.substr(i, 2);
      if (sequence != "\\\\" && sequence != "\\," && sequence != "\\=") {
        return bad_request("invalid field selector: invalid escape sequence: " + std::string(sequence));
      }
      out += sequence[1];
      ++i;
    } else if (c == ',' || c == '=') {
      return bad_request("invalid field selector: unescaped character in value: " + std::to_string(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == ',' || c == '=') out += '\\';
    out += c;
  }
  return out;
}

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// One or more of [A-Za-z0-9-_.] that starts and ends alphanumeric.
bool is_qualified(std::string_view text) {
  return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_subdomain(std::string_view text) {
  while (true) {
    const std::string_view label = text.substr(0, text.find('.'));
    const auto lower = [](char c) { return is_alphanumeric(c) && !(c >= 'A' && c <= 'Z'); };
    const bool good = !label.empty() && lower(label.front()) && lower(label.back()) &&
                      std::all_of(label.begin(), label.end(), [&](char c) { return lower(c) || c == '-'; });
    if (!good) return false;
    if (label.size() == text.size()) return true;
    text.remove_prefix(label.size() + 1);
  }
}

}  // namespace

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  auto requirements = SelectorParser(text).parse();
  if (!requirements) return std::move(requirements).error();
  std::stable_sort(requirements->begin(), requirements->end(),
                   [](const Requirement& a, const Requirement& b) { return a.key < b.key; });
  return LabelSelector(std::move(*requirements));
}

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  static constexpr std::array<std::string_view, 3> kOperators = {"!=", "==", "="};
  FieldSelector selector;
  for (const std::string_view term : split_terms(text)) {
    if (term.empty()) continue;
    std::size_t at = 0;
    std::string_view found;
    for (; at < term.size() && found.empty(); ++at) {
      for (const std::string_view op : kOperators) {
        if (found.empty() && term.substr(at).starts_with(op)) found = op;
      }
    }
    if (found.empty()) {
      return bad_request("invalid selector: '" + std::string(text) + "'; can't understand '" +
                         std::string(term) + "'");
    }
    const std::string_view path = term.substr(0, at - 1);
    auto value = unescape(term.substr(at - 1 + found.size()));
    if (!value) return std::move(value).error();
    selector.terms_.push_back({std::string(path), std::move(*value), found != "!="});
  }
  return selector;
}

std::string FieldSelector::to_string() const {
  std::string out;
  for (const Term& term : terms_) {
    if (!out.empty()) out += ',';
    out += term.path + (term.equal ? "=" : "!=") + escape(term.value);
  }
  return out;
}

std::vector<std::string> validate_label_key(std::string_view key) {
  std::vector<std::string> wrong;
  std::string_view name = key;
  const std::size_t slash = key.find('/');
  if (slash != std::string_view::npos) {
    if (key.find('/', slash + 1) != std::string_view::npos) {
      return {
          "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and "
          "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
          "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix "
          "and '/' (e.g. 'example.com/MyName')"};
    }
    const std::string_view prefix = key.substr(0, slash);
    name = key.substr(slash + 1);
    if (prefix.empty()) {
      wrong.emplace_back("prefix part must be non-empty");
    } else {
      if (prefix.size() > 253) wrong.emplace_back("prefix part must be no more than 253 bytes");
      if (!is_subdomain(prefix)) {
        wrong.emplace_back(
            "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
            "'-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
            "used "
            "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
      }
    }
  }
  if (name.empty()) {
    wrong.emplace_back("name part must be non-empty");
  } else if (name.size() > 63) {
    wrong.emplace_back("name part must be no more than 63 bytes");
  }
  if (!is_qualified(name)) {
    wrong.emplace_back(
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')");
  }
  return wrong;
}

std::vector<std::string> validate_label_value(std::string_view value) {
  std::vector<std::string> wrong;
  if (value.size() > 63) wrong.emplace_back("must be no more than 63 bytes");
  if (!value.empty() && !is_qualified(value)) {
    wrong.emplace_back(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
        "must "
        "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex "
        "used "
        "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')");
  }
  return wrong;
}

}  // namespace flotilla::api
