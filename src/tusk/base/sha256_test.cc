#include "tusk/base/sha256.h"

#include <string>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace tusk {
namespace {

// The vectors of FIPS 180-4.
TEST(Sha256Test, MatchesThePublishedVectors) {
  EXPECT_EQ(Sha256Hex({}).ValueOrDie(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::string abc = "abc";
  EXPECT_EQ(Sha256Hex({reinterpret_cast<const uint8_t*>(abc.data()), abc.size()}).ValueOrDie(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// libparquet carries an OpenSSL of its own with unversioned symbols; ours must be the system's.
TEST(Sha256Test, UsesTheSystemsOpenSsl) {
  Dl_info info;
  ASSERT_NE(dladdr(reinterpret_cast<void*>(&EVP_DigestInit_ex), &info), 0);
  EXPECT_THAT(std::string(info.dli_fname), testing::HasSubstr("libcrypto.so.3"));
}

}  // namespace
}  // namespace tusk
