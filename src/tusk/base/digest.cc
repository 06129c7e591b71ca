#include "tusk/base/digest.h"

#include <array>
#include <utility>

#include <openssl/evp.h>

#include "tusk/base/blake3.h"

namespace tusk {

Result<std::string> Digest(std::string_view algorithm, std::string_view bytes) {
  static constexpr std::array<std::pair<std::string_view, const EVP_MD* (*)()>, 7> kAlgorithms = {{
      {"md5", EVP_md5},
      {"sha224", EVP_sha224},
      {"sha256", EVP_sha256},
      {"sha384", EVP_sha384},
      {"sha512", EVP_sha512},
      {"blake2b", EVP_blake2b512},
      {"blake2s", EVP_blake2s256},
  }};
  // OpenSSL does not have it.
  if (algorithm == "blake3") return Blake3(bytes);
  for (const auto& [name, method] : kAlgorithms) {
    if (algorithm != name) continue;
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned int size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()),
                   &size, method(), nullptr) != 1) {
      return IoError("the OpenSSL library could not compute a digest by ", algorithm);
    }
    digest.resize(size);
    return digest;
  }
  return InvalidArgument("there is no digest '", algorithm,
                         "': there are md5, sha224, sha256, sha384, sha512, blake2b, blake2s and "
                         "blake3");
}

}  // namespace tusk
