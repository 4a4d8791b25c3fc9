// SPDX-License-Identifier: Apache-2.0
#include "messages.hpp"

namespace flotilla::plugins::storage::etcd {
namespace {

constexpr std::int64_t kCompareMod = 2;

std::int64_t header_revision(std::string_view header, std::uint64_t* member = nullptr) {
  std::int64_t revision = 0;
  for (WireReader reader(header); reader.next();) {
    if (reader.field() == 3) revision = reader.integer();
    if (reader.field() == 2 && member != nullptr) *member = static_cast<std::uint64_t>(reader.integer());
  }
  return revision;
}

bool read_value(std::string_view message, WireValue& out) {
  WireReader reader(message);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        out.key = reader.bytes();
        break;
      case 2:
        out.create_revision = reader.integer();
        break;
      case 3:
        out.mod_revision = reader.integer();
        break;
      case 4:
        out.version = reader.integer();
        break;
      case 5:
        out.value = reader.bytes();
        break;
      default:
        break;
    }
  }
  return !reader.broken();
}

// The values in a field of an inner answer.
bool read_values(std::string_view message, std::uint32_t field, std::vector<WireValue>& out) {
  WireReader reader(message);
  while (reader.next()) {
    if (reader.field() == field && !read_value(reader.bytes(), out.emplace_back())) return false;
  }
  return !reader.broken();
}

bool read_event(std::string_view message, WireEvent& out) {
  WireReader reader(message);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        out.removed = reader.integer() == 1;
        break;
      case 2:
        if (!read_value(reader.bytes(), out.value)) return false;
        break;
      case 3:
        if (!read_value(reader.bytes(), out.previous.emplace())) return false;
        break;
      default:
        break;
    }
  }
  return !reader.broken();
}

}  // namespace

std::string write_range(const RangeAsk& ask) {
  WireWriter out;
  out.bytes(1, ask.key);
  out.bytes(2, ask.end);
  out.integer(3, ask.limit);
  out.integer(4, ask.revision);
  out.flag(7, ask.serializable);
  out.flag(8, ask.keys_only);
  out.flag(9, ask.count_only);
  return out.take();
}

bool read_range(std::string_view body, RangeAnswer& out) {
  WireReader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        out.revision = header_revision(reader.bytes());
        break;
      case 2:
        if (!read_value(reader.bytes(), out.values.emplace_back())) return false;
        break;
      case 3:
        out.more = reader.flag();
        break;
      case 4:
        out.count = reader.integer();
        break;
      default:
        break;
    }
  }
  return !reader.broken();
}

void TxnWriter::guard(std::string_view key, std::int64_t mod_revision) {
  const std::size_t compare = out_.open(1);
  out_.integer(2, kCompareMod);  // result 0: equal
  out_.bytes(3, key);
  out_.present_integer(6, mod_revision);
  out_.close(compare);
}

void TxnWriter::put(std::string_view key, std::string_view value, std::int64_t lease, bool previous) {
  const std::size_t operation = out_.open(2);
  const std::size_t request = out_.open(2);
  out_.bytes(1, key);
  out_.bytes(2, value);
  out_.integer(3, lease);
  out_.flag(4, previous);
  out_.close(request);
  out_.close(operation);
}

void TxnWriter::remove(std::string_view key, bool previous) {
  const std::size_t operation = out_.open(2);
  const std::size_t request = out_.open(3);
  out_.bytes(1, key);
  out_.flag(3, previous);
  out_.close(request);
  out_.close(operation);
}

void TxnWriter::otherwise_read(std::string_view key) {
  const std::size_t operation = out_.open(3);
  const std::size_t request = out_.open(1);
  out_.bytes(1, key);
  out_.close(request);
  out_.close(operation);
}

bool read_txn(std::string_view body, TxnAnswer& out) {
  WireReader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        out.revision = header_revision(reader.bytes());
        break;
      case 2:
        out.succeeded = reader.flag();
        break;
      case 3: {
        // A range has its values in field 2, a put the replaced one there too, a delete in field 3.
        WireReader answer(reader.bytes());
        while (answer.next()) {
          if (!read_values(answer.bytes(), answer.field() == 3 ? 3 : 2, out.values)) return false;
        }
        if (answer.broken()) return false;
        break;
      }
      default:
        break;
    }
  }
  return !reader.broken();
}

std::string write_compact(std::int64_t revision) {
  WireWriter out;
  out.integer(1, revision);
  return out.take();
}

std::int64_t read_header_revision(std::string_view body) {
  for (WireReader reader(body); reader.next();)
    if (reader.field() == 1) return header_revision(reader.bytes());
  return 0;
}

std::string write_watch_create(const WatchAsk& ask) {
  WireWriter out;
  const std::size_t create = out.open(1);
  out.bytes(1, ask.key);
  out.bytes(2, ask.end);
  out.integer(3, ask.start_revision);
  out.flag(4, true);  // progress now and then
  out.flag(6, ask.previous);
  out.flag(8, true);  // large answers in fragments
  out.close(create);
  return out.take();
}

std::string write_watch_progress() {
  WireWriter out;
  out.close(out.open(3));
  return out.take();
}

bool read_watch(std::string_view body, WatchAnswer& out) {
  WireReader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        out.revision = header_revision(reader.bytes());
        break;
      case 2:
        out.watch_id = reader.integer();
        break;
      case 3:
        out.created = reader.flag();
        break;
      case 4:
        out.cancelled = reader.flag();
        break;
      case 5:
        out.compact_revision = reader.integer();
        break;
      case 6:
        out.cancel_reason = reader.bytes();
        break;
      case 7:
        out.fragment = reader.flag();
        break;
      case 11:
        if (!read_event(reader.bytes(), out.events.emplace_back())) return false;
        break;
      default:
        break;
    }
  }
  return !reader.broken();
}

std::string write_lease_grant(std::int64_t seconds) {
  WireWriter out;
  out.integer(1, seconds);
  return out.take();
}

bool read_lease_grant(std::string_view body, LeaseAnswer& out) {
  WireReader reader(body);
  while (reader.next()) {
    if (reader.field() == 2) out.id = reader.integer();
    if (reader.field() == 3) out.seconds = reader.integer();
  }
  return !reader.broken() && out.id != 0;
}

bool read_status(std::string_view body, StatusAnswer& out) {
  WireReader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        out.revision = header_revision(reader.bytes(), &out.member);
        break;
      case 2:
        out.version = reader.bytes();
        break;
      case 3:
        out.bytes = reader.integer();
        break;
      case 4:
        out.leader = static_cast<std::uint64_t>(reader.integer());
        break;
      case 8:
        out.errors.push_back(reader.bytes());
        break;
      default:
        break;
    }
  }
  return !reader.broken();
}

std::size_t read_member_count(std::string_view body) {
  std::size_t count = 0;
  for (WireReader reader(body); reader.next();) {
    if (reader.field() != 2) continue;
    bool learner = false;
    for (WireReader member(reader.bytes()); member.next();)
      if (member.field() == 5) learner = member.flag();
    if (!learner) ++count;
  }
  return count;
}

std::string write_authenticate(std::string_view user, std::string_view password) {
  WireWriter out;
  out.bytes(1, user);
  out.bytes(2, password);
  return out.take();
}

std::string_view read_token(std::string_view body) {
  for (WireReader reader(body); reader.next();)
    if (reader.field() == 2) return reader.bytes();
  return {};
}

}  // namespace flotilla::plugins::storage::etcd
