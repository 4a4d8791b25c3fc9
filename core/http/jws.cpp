// SPDX-License-Identifier: Apache-2.0
#include "core/http/jws.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/base/base64.hpp"

namespace flotilla::http {
namespace {

std::string sign(std::string_view header, std::string_view content, std::string_view secret) {
  const std::string input = std::string(header) + "." + base64url_encode(content);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest, &size);
  return std::string(header) + ".." + base64url_encode({reinterpret_cast<const char*>(digest), size});
}

}  // namespace

// Ids of tokens are letters and digits: nothing to escape.
std::string detached_signature(std::string_view content, std::string_view token_id,
                               std::string_view token_secret) {
  const std::string header = R"({"alg":"HS256","kid":")" + std::string(token_id) + R"("})";
  return sign(base64url_encode(header), content, token_secret);
}

// Whoever signs may write the header as he likes, but for the algorithm.
bool is_signed_by(std::string_view signature, std::string_view content, std::string_view token_secret) {
  const std::string_view header = signature.substr(0, signature.find('.'));
  const auto text = base64url_decode(header);
  if (!text || text->find("\"HS256\"") == std::string::npos) return false;
  const std::string wanted = sign(header, content, token_secret);
  return wanted.size() == signature.size() &&
         CRYPTO_memcmp(wanted.data(), signature.data(), wanted.size()) == 0;
}

}  // namespace flotilla::http
