// SPDX-License-Identifier: Apache-2.0
// Kubernetes' ip() and cidr().
#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "core/cel/functions.hpp"

namespace flotilla::cel {
namespace {

using Bytes = std::array<unsigned char, 16>;

struct Address {
  Bytes bytes{};
  int family = 4;

  int bits() const { return family == 4 ? 32 : 128; }
  bool operator==(const Address&) const = default;
  std::string text() const {
    char buffer[INET6_ADDRSTRLEN];
    inet_ntop(family == 4 ? AF_INET : AF_INET6, bytes.data(), buffer, sizeof buffer);
    return buffer;
  }
  Address masked(int prefix) const {
    Address out = *this;
    for (int i = prefix; i < bits(); ++i)
      out.bytes[static_cast<std::size_t>(i / 8)] &= static_cast<unsigned char>(~(0x80 >> i % 8));
    return out;
  }
};

bool is_mapped(const Address& address) {
  return address.family == 6 &&
         std::all_of(address.bytes.begin(), address.bytes.begin() + 10, [](auto b) { return b == 0; }) &&
         address.bytes[10] == 0xff && address.bytes[11] == 0xff;
}

Result<Address> read_address(std::string_view text) {
  const std::string copy(text);
  const std::string what = "IP Address \"" + copy + "\" ";
  Address address;
  if (text.find('%') != std::string_view::npos && text.find(':') != std::string_view::npos)
    return evaluation_error(what + "with zone value is not allowed");
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1 && copy.size() == text.size())
    return address;
  address.family = 6;
  if (copy.find('\0') == std::string::npos && inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) {
    if (is_mapped(address))
      return evaluation_error("IPv4-mapped IPv6 address \"" + copy + "\" is not allowed");
    return address;
  }
  return evaluation_error(what + "parse error during conversion from string: ParseAddr(\"" + copy +
                          "\"): unable to parse IP");
}

class Ip final : public Opaque {
 public:
  explicit Ip(const Address& address) : address(address) {}
  std::string_view type_name() const override { return "net.IP"; }
  bool equals(const Opaque& other) const override { return address == static_cast<const Ip&>(other).address; }
  std::string text() const override { return address.text(); }
  std::uint64_t size() const override { return address.family == 4 ? 4 : 16; }

  Address address;
};

class Cidr final : public Opaque {
 public:
  Cidr(const Address& address, int prefix) : address(address), prefix(prefix) {}
  std::string_view type_name() const override { return "net.CIDR"; }
  bool equals(const Opaque& other) const override {
    const auto& that = static_cast<const Cidr&>(other);
    return address == that.address && prefix == that.prefix;
  }
  std::string text() const override { return address.text() + "/" + std::to_string(prefix); }
  std::uint64_t size() const override { return static_cast<std::uint64_t>(prefix + 7) / 8; }
  bool contains(const Address& other) const {
    return other.family == address.family && other.masked(prefix) == address.masked(prefix);
  }

  Address address;
  int prefix;
};

Result<Cidr> read_cidr(std::string_view text) {
  const std::string what = "network address parse error during conversion from string: ";
  const std::string call = "netip.ParsePrefix(\"" + std::string(text) + "\"): ";
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return evaluation_error(what + call + "no '/'");
  const auto address = read_address(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  if (!address) {
    if (address.error().message().starts_with("IPv4-mapped"))
      return evaluation_error("IPv4-mapped IPv6 address \"" + std::string(text.substr(0, slash)) +
                              "\" is not allowed");
    return evaluation_error(what + call + "ParseAddr(\"" + std::string(text.substr(0, slash)) +
                            "\"): unable to parse IP");
  }
  const bool numeric = !digits.empty() && digits.size() <= 3 &&
                       std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!numeric || (digits.size() > 1 && digits[0] == '0'))
    return evaluation_error(what + call + "bad bits after slash: \"" + std::string(digits) + "\"");
  const int prefix = std::stoi(std::string(digits));
  if (prefix > address->bits()) return evaluation_error(what + call + "prefix length out of range");
  return Cidr(*address, prefix);
}

const Address& address_in(const Value& value) {
  return static_cast<const Ip*>(value.as_opaque())->address;
}
const Cidr& cidr_in(const Value& value) {
  return *static_cast<const Cidr*>(value.as_opaque());
}
Value wrap(const Address& address) {
  return Value::opaque(std::make_shared<Ip>(address));
}

Result<Value> make_ip(const Arguments& in) {
  const auto address = read_address(in[0].as_string());
  return address ? Result<Value>(wrap(*address)) : address.error();
}
Result<Value> is_ip(const Arguments& in) {
  return Value::boolean(read_address(in[0].as_string()).ok());
}
Result<Value> is_canonical(const Arguments& in) {
  const auto address = read_address(in[0].as_string());
  return address ? Result<Value>(Value::boolean(address->text() == in[0].as_string())) : address.error();
}
Result<Value> opaque_text(const Arguments& in) {
  return Value::string(in[0].as_opaque()->text());
}
Result<Value> family(const Arguments& in) {
  return Value::integer(address_in(in[0]).family);
}
Result<Value> is_unspecified(const Arguments& in) {
  const Bytes& bytes = address_in(in[0]).bytes;
  return Value::boolean(std::all_of(bytes.begin(), bytes.end(), [](auto b) { return b == 0; }));
}

bool loops_back(const Address& address) {
  if (address.family == 4) return address.bytes[0] == 127;
  return std::all_of(address.bytes.begin(), address.bytes.end() - 1, [](auto b) { return b == 0; }) &&
         address.bytes[15] == 1;
}
bool is_link_local(const Address& address) {
  if (address.family == 4) return address.bytes[0] == 169 && address.bytes[1] == 254;
  return address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
}
bool is_multicast(const Address& address) {
  return address.family == 4 ? (address.bytes[0] & 0xf0) == 0xe0 : address.bytes[0] == 0xff;
}

Result<Value> is_loopback(const Arguments& in) {
  return Value::boolean(loops_back(address_in(in[0])));
}
Result<Value> is_link_local_multicast(const Arguments& in) {
  const Address& address = address_in(in[0]);
  const Bytes& b = address.bytes;
  return Value::boolean(address.family == 4 ? b[0] == 224 && b[1] == 0 && b[2] == 0
                                            : b[0] == 0xff && (b[1] & 0x0f) == 0x02);
}
Result<Value> is_link_local_unicast(const Arguments& in) {
  return Value::boolean(is_link_local(address_in(in[0])));
}
Result<Value> is_global_unicast(const Arguments& in) {
  const Address& address = address_in(in[0]);
  const bool zero = std::all_of(address.bytes.begin(), address.bytes.end(), [](auto b) { return b == 0; });
  const bool broadcast = address.family == 4 && std::all_of(address.bytes.begin(), address.bytes.begin() + 4,
                                                            [](auto b) { return b == 255; });
  return Value::boolean(!zero && !broadcast && !loops_back(address) && !is_multicast(address) &&
                        !is_link_local(address));
}

Result<Value> make_cidr(const Arguments& in) {
  const auto cidr = read_cidr(in[0].as_string());
  return cidr ? Result<Value>(Value::opaque(std::make_shared<Cidr>(*cidr))) : cidr.error();
}
Result<Value> is_cidr(const Arguments& in) {
  return Value::boolean(read_cidr(in[0].as_string()).ok());
}
Result<Value> contains_ip(const Arguments& in) {
  if (!in[1].is(Value::Kind::String)) return Value::boolean(cidr_in(in[0]).contains(address_in(in[1])));
  const auto address = read_address(in[1].as_string());
  return address ? Result<Value>(Value::boolean(cidr_in(in[0]).contains(*address))) : address.error();
}
Result<Value> contains_cidr(const Arguments& in) {
  const Cidr& outer = cidr_in(in[0]);
  const auto holds = [&](const Cidr& inner) {
    return Value::boolean(inner.prefix >= outer.prefix && outer.contains(inner.address));
  };
  if (!in[1].is(Value::Kind::String)) return holds(cidr_in(in[1]));
  const auto inner = read_cidr(in[1].as_string());
  return inner ? Result<Value>(holds(*inner)) : inner.error();
}
Result<Value> cidr_ip(const Arguments& in) {
  return wrap(cidr_in(in[0]).address);
}
Result<Value> masked(const Arguments& in) {
  const Cidr& cidr = cidr_in(in[0]);
  return Value::opaque(std::make_shared<Cidr>(cidr.address.masked(cidr.prefix), cidr.prefix));
}
Result<Value> prefix_length(const Arguments& in) {
  return Value::integer(cidr_in(in[0]).prefix);
}

std::uint64_t cost_of_containing(std::span<const Value> in, const Value&) {
  const auto own = static_cast<double>(in[0].cost_size());
  const bool parsed = in[1].is(Value::Kind::String);
  return traversal(2 * own) + (parsed ? traversal(static_cast<double>(in[1].cost_size())) : 0);
}
std::uint64_t cost_of_containing_cidr(std::span<const Value> in, const Value& result) {
  return cost_of_containing(in, result) + traversal(static_cast<double>(in[0].cost_size())) + 1;
}

constexpr FunctionRow kRows[] = {
    {"ip(string): IP", make_ip, cost_of_first},
    {"isIP(string): bool", is_ip, cost_of_first},
    {"ip.isCanonical(string): bool", is_canonical, cost_of_first_twice},
    {"string(IP): string", opaque_text},
    {"IP.family(): int", family},
    {"IP.isUnspecified(): bool", is_unspecified},
    {"IP.isLoopback(): bool", is_loopback},
    {"IP.isLinkLocalMulticast(): bool", is_link_local_multicast},
    {"IP.isLinkLocalUnicast(): bool", is_link_local_unicast},
    {"IP.isGlobalUnicast(): bool", is_global_unicast},
    {"cidr(string): CIDR", make_cidr, cost_of_first},
    {"isCIDR(string): bool", is_cidr, cost_of_first},
    {"string(CIDR): string", opaque_text},
    {"CIDR.containsIP(string): bool", contains_ip, cost_of_containing},
    {"CIDR.containsIP(IP): bool", contains_ip, cost_of_containing},
    {"CIDR.containsCIDR(string): bool", contains_cidr, cost_of_containing_cidr},
    {"CIDR.containsCIDR(CIDR): bool", contains_cidr, cost_of_containing_cidr},
    {"CIDR.ip(): IP", cidr_ip},
    {"CIDR.masked(): CIDR", masked},
    {"CIDR.prefixLength(): int", prefix_length},
};

}  // namespace

std::span<const FunctionRow> address_rows() {
  return kRows;
}

}  // namespace flotilla::cel
