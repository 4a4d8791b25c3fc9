// SPDX-License-Identifier: Apache-2.0
#include "core/store/encryption/value_cipher.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>

namespace flotilla::store {
namespace {

constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;
constexpr std::size_t kBlock = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const EVP_CIPHER* cipher_of(const CipherKey& key) {
  const bool gcm = key.kind == CipherKind::AesGcm;
  switch (key.secret.size()) {
    case 16:
      return gcm ? EVP_aes_128_gcm() : EVP_aes_128_cbc();
    case 24:
      return gcm ? EVP_aes_192_gcm() : EVP_aes_192_cbc();
    default:
      return gcm ? EVP_aes_256_gcm() : EVP_aes_256_cbc();
  }
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
int length(std::string_view text) {
  return static_cast<int>(text.size());
}

Error unreadable(const char* why) {
  return Error(Code::DataLoss, why);
}

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  RAND_bytes(bytes(out), static_cast<int>(count));
  return out;
}

Result<std::string> open_gcm(const CipherKey& key, std::string_view place, std::string_view sealed) {
  if (sealed.size() < kNonce + kTag) return unreadable("the value is too short");
  const std::string_view nonce = sealed.substr(0, kNonce);
  const std::string_view body = sealed.substr(kNonce, sealed.size() - kNonce - kTag);
  std::string tag(sealed.substr(sealed.size() - kTag));
  std::string plain(body.size() + kBlock, '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int done = 0, ignored = 0, last = 0;
  const bool good = EVP_DecryptInit_ex(context.get(), cipher_of(key), nullptr,
                                       bytes(std::string_view(key.secret)), bytes(nonce)) == 1 &&
                    EVP_DecryptUpdate(context.get(), nullptr, &ignored, bytes(place), length(place)) == 1 &&
                    EVP_DecryptUpdate(context.get(), bytes(plain), &done, bytes(body), length(body)) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) == 1 &&
                    EVP_DecryptFinal_ex(context.get(), bytes(plain) + done, &last) == 1;
  if (!good) return unreadable("the key does not open it");
  plain.resize(static_cast<std::size_t>(done + last));
  return plain;
}

Result<std::string> open_cbc(const CipherKey& key, std::string_view sealed) {
  if (sealed.size() < 2 * kBlock || sealed.size() % kBlock != 0) return unreadable("the value is cut off");
  const std::string_view body = sealed.substr(kBlock);
  std::string plain(body.size() + kBlock, '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int done = 0, last = 0;
  const bool good =
      EVP_DecryptInit_ex(context.get(), cipher_of(key), nullptr, bytes(std::string_view(key.secret)),
                         bytes(sealed.substr(0, kBlock))) == 1 &&
      EVP_DecryptUpdate(context.get(), bytes(plain), &done, bytes(body), length(body)) == 1 &&
      EVP_DecryptFinal_ex(context.get(), bytes(plain) + done, &last) == 1;
  if (!good) return unreadable("the key does not open it");
  plain.resize(static_cast<std::size_t>(done + last));
  return plain;
}

}  // namespace

std::string CipherKey::prefix() const {
  return std::string(kEncryptedPrefix) + (kind == CipherKind::AesGcm ? "aesgcm" : "aescbc") + ":v1:" + name +
         ":";
}

std::string encrypt_value(const CipherKey& key, std::string_view place, std::string_view plain) {
  const bool gcm = key.kind == CipherKind::AesGcm;
  const std::string nonce = random_bytes(gcm ? kNonce : kBlock);
  std::string body(plain.size() + kBlock, '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int done = 0, last = 0, ignored = 0;
  EVP_EncryptInit_ex(context.get(), cipher_of(key), nullptr, bytes(std::string_view(key.secret)),
                     bytes(std::string_view(nonce)));
  if (gcm) EVP_EncryptUpdate(context.get(), nullptr, &ignored, bytes(place), length(place));
  EVP_EncryptUpdate(context.get(), bytes(body), &done, bytes(plain), length(plain));
  EVP_EncryptFinal_ex(context.get(), bytes(body) + done, &last);
  body.resize(static_cast<std::size_t>(done + last));
  std::string out = key.prefix() + nonce + body;
  if (!gcm) return out;
  std::string tag(kTag, '\0');
  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag, tag.data());
  return out + tag;
}

Result<std::string> decrypt_value(const CipherKey& key, std::string_view place, std::string_view value) {
  value.remove_prefix(std::min(value.size(), key.prefix().size()));
  return key.kind == CipherKind::AesGcm ? open_gcm(key, place, value) : open_cbc(key, value);
}

}  // namespace flotilla::store
