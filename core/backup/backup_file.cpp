// SPDX-License-Identifier: Apache-2.0
#include "core/backup/backup_file.hpp"

#include <openssl/evp.h>
#include <zlib.h>

#include <cstring>
#include <utility>

#include "core/api/json.hpp"

namespace flotilla::backup {
namespace {

using api::Json;

constexpr std::string_view kMagic = "FLTBACK1";
constexpr std::size_t kMostFrame = 256u << 20;
constexpr std::size_t kHead = 5;  // kind and length
constexpr std::size_t kTail = 4;  // crc

Error damaged(const std::string& what) {
  return Error(Code::DataLoss, "the backup is damaged: " + what);
}

template <typename Number>
void put(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
}
template <typename Number>
Number take(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return static_cast<Number>(value);
}

std::uint32_t crc_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string make_frame(char kind, std::string_view payload) {
  std::string out;
  out.reserve(payload.size() + kHead + kTail);
  out += kind;
  put(out, static_cast<std::uint32_t>(payload.size()));
  out += payload;
  put(out, crc_of(out));
  return out;
}

// Reads entries from a payload; false: it ends too soon.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}
  bool at_end() const { return at_ == bytes_.size(); }
  bool text(std::string& out) {
    if (bytes_.size() - at_ < 4) return false;
    const auto size = take<std::uint32_t>(bytes_, at_);
    at_ += 4;
    if (bytes_.size() - at_ < size) return false;
    out = bytes_.substr(at_, size);
    at_ += size;
    return true;
  }
  bool revision(Revision& out) {
    if (bytes_.size() - at_ < 8) return false;
    out = Revision(take<std::int64_t>(bytes_, at_));
    at_ += 8;
    return true;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace

struct Sha256::State {
  State() : context(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }
  ~State() { EVP_MD_CTX_free(context); }
  EVP_MD_CTX* context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_->context, digest, &size);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += kDigits[digest[i] >> 4];
    out += kDigits[digest[i] & 15];
  }
  return out;
}

std::string BackupEncoder::counted(std::string bytes) {
  sha_.add(bytes);
  return bytes;
}

std::string BackupEncoder::begin(const BackupHeader& header) {
  const Json json = Json::object({{"format", header.format},
                                  {"version", header.version},
                                  {"created", header.created},
                                  {"storage", header.storage},
                                  {"revision", header.revision.get()}});
  return counted(std::string(kMagic) + make_frame('H', json.dump()));
}

std::string BackupEncoder::part(const std::vector<store::KeyValue>& values) {
  std::string payload;
  for (const store::KeyValue& kv : values) {
    put(payload, static_cast<std::uint32_t>(kv.key.size()));
    payload += kv.key;
    put(payload, static_cast<std::uint32_t>(kv.value.size()));
    payload += kv.value;
    put(payload, kv.create_revision.get());
    put(payload, kv.mod_revision.get());
    totals_.bytes += kv.key.size() + kv.value.size();
  }
  totals_.keys += values.size();
  return counted(make_frame('P', payload));
}

std::string BackupEncoder::end() {
  const Json json = Json::object({{"keys", static_cast<std::int64_t>(totals_.keys)},
                                  {"bytes", static_cast<std::int64_t>(totals_.bytes)},
                                  {"sha256", sha_.hex()}});
  return make_frame('E', json.dump());
}

// What was read is forgotten once it is most of what waits.
Result<std::optional<BackupDecoder::Frame>> BackupDecoder::frame() {
  const std::string_view rest = std::string_view(waiting_).substr(at_);
  if (rest.size() < kHead) return std::optional<Frame>();
  const auto size = take<std::uint32_t>(rest, 1);
  if (size > kMostFrame) return damaged("a part has " + std::to_string(size) + " bytes");
  const std::size_t whole = kHead + size + kTail;
  if (rest.size() < whole) return std::optional<Frame>();
  if (crc_of(rest.substr(0, kHead + size)) != take<std::uint32_t>(rest, kHead + size))
    return damaged("the checksum of a part is wrong");
  Frame frame{rest[0], std::string(rest.substr(kHead, size))};
  if (frame.kind != 'E') sha_.add(rest.substr(0, whole));
  at_ += whole;
  if (at_ > (1u << 20) || at_ == waiting_.size()) waiting_.erase(0, std::exchange(at_, 0));
  return std::optional<Frame>(std::move(frame));
}

Result<std::optional<std::vector<store::KeyValue>>> BackupDecoder::next() {
  using Part = std::optional<std::vector<store::KeyValue>>;
  if (!magic_read_) {
    const std::size_t known = std::min(waiting_.size(), kMagic.size());
    if (std::string_view(waiting_).substr(0, known) != kMagic.substr(0, known))
      return Error(Code::DataLoss, "this is no backup of flotilla");
    if (waiting_.size() < kMagic.size()) return Part();
    sha_.add(kMagic);
    at_ = kMagic.size();
    magic_read_ = true;
  }
  for (;;) {
    auto found = frame();
    if (!found) return std::move(found).error();
    if (!*found) return Part();
    if (done_) return damaged("something follows its end");
    const Frame& frame = **found;
    if (frame.kind == 'H' && !header_) {
      if (Status read = read_header(frame.payload); !read) return std::move(read).error();
    } else if (frame.kind == 'P' && header_) {
      auto part = read_part(frame.payload);
      if (!part) return std::move(part).error();
      return Part(*std::move(part));
    } else if (frame.kind == 'E' && header_) {
      if (Status read = read_end(frame.payload); !read) return std::move(read).error();
      return Part();
    } else {
      return damaged("a part of an unknown kind");
    }
  }
}

Status BackupDecoder::read_header(const std::string& payload) {
  const auto json = Json::parse(payload);
  if (!json) return damaged("its header is no JSON");
  BackupHeader header;
  header.format = (*json)["format"].as_int();
  header.version = (*json)["version"].as_string();
  header.created = (*json)["created"].as_string();
  header.storage = (*json)["storage"].as_string();
  header.revision = Revision((*json)["revision"].as_int());
  if (header.format != BackupHeader::kFormat) {
    return Error(Code::Unsupported, "the backup has format " + std::to_string(header.format) +
                                        ", this version knows " + std::to_string(BackupHeader::kFormat));
  }
  header_ = std::move(header);
  return {};
}

Result<std::vector<store::KeyValue>> BackupDecoder::read_part(const std::string& payload) {
  std::vector<store::KeyValue> values;
  for (Cursor cursor(payload); !cursor.at_end();) {
    store::KeyValue kv;
    if (!cursor.text(kv.key) || !cursor.text(kv.value) || !cursor.revision(kv.create_revision) ||
        !cursor.revision(kv.mod_revision))
      return damaged("a part ends too soon");
    totals_.bytes += kv.key.size() + kv.value.size();
    values.push_back(std::move(kv));
  }
  totals_.keys += values.size();
  return values;
}

Status BackupDecoder::read_end(const std::string& payload) {
  const auto json = Json::parse(payload);
  if (!json) return damaged("its end is no JSON");
  if ((*json)["keys"].as_int() != static_cast<std::int64_t>(totals_.keys))
    return damaged("it has " + std::to_string(totals_.keys) + " keys and says " +
                   std::to_string((*json)["keys"].as_int()));
  if ((*json)["sha256"].as_string() != sha_.hex()) return damaged("its checksum is wrong");
  done_ = true;
  return {};
}

}  // namespace flotilla::backup
