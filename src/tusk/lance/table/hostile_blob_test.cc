#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/table/blob_laws.h"
#include "tusk/lance/table/blob_locator.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::HasSubstr;

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
constexpr uint8_t kInline = 0;
constexpr uint8_t kPacked = 1;
constexpr uint8_t kDedicated = 2;
constexpr uint8_t kExternal = 3;

/// Files of 100 and of 50 bytes.
BlobTable Table(bool is_v2 = true) { return {is_v2, std::string(100, 'd'), std::string(50, 's')}; }

/// Both when it is read and when it is written again the error has this code, and says where.
void ExpectError(const BlobTable& table, const BlobDescriptor& descriptor, ErrorCode code,
                 const std::string& what, uint64_t address = BlobTable::kAddress) {
  const auto found = table.Find(descriptor, address);
  EXPECT_THAT(found, FailsWith(code));
  EXPECT_THAT(found.status().message(),
              HasSubstr("t: version 3: blob of column 'b' in row address " +
                        std::to_string(address) + ": "));
  EXPECT_THAT(found.status().message(), HasSubstr(what));
  const auto copied = table.Copy(descriptor, address);
  EXPECT_THAT(copied, FailsWith(code));
  EXPECT_THAT(copied.status().message(), HasSubstr("t: version 3: blob of column 'b'"));
  EXPECT_THAT(copied.status().message(), HasSubstr(what));
}

TEST(HostileBlobTest, EndsWhereItsFileEndsAndNoByteLater) {
  for (const bool is_v2 : {true, false}) {
    const BlobTable table = Table(is_v2);
    for (uint64_t position = 0; position <= 101; ++position) {
      for (const uint64_t size : {uint64_t{1}, 100 - position, 101 - position, 102 - position}) {
        // Of a row without bytes the place means nothing, or in version 1 that it is null.
        if (size == 0) continue;
        const BlobDescriptor descriptor{.kind = kInline, .position = position, .size = size};
        if (size <= 100 && position <= 100 - size) {
          EXPECT_OK(table.Find(descriptor).status()) << position << "+" << size;
          EXPECT_OK(table.Copy(descriptor).status()) << position << "+" << size;
        } else {
          ExpectError(table, descriptor, ErrorCode::kCorrupt, "'t/data/f.lance', which has 100");
        }
      }
    }
  }
}

TEST(HostileBlobTest, WhosePositionAndSizeWrapIsCorrupt) {
  const BlobTable table = Table();
  for (const uint8_t kind : {kInline, kPacked}) {
    for (const auto& [position, size] :
         std::vector<std::pair<uint64_t, uint64_t>>{{kMost, 1},
                                                    {kMost, 2},
                                                    {1, kMost},
                                                    {kMost, kMost},
                                                    {uint64_t{1} << 63, uint64_t{1} << 63},
                                                    {10, uint64_t{1} << 63}}) {
      ExpectError(table, {.kind = kind, .position = position, .size = size, .blob_id = 1},
                  ErrorCode::kCorrupt, "are not all in");
    }
  }
}

TEST(HostileBlobTest, IsCorruptAtEveryLengthOfATruncatedFile) {
  const std::string path = SidecarPath(BlobTable::kDataFile, 1);
  const BlobTable table = Table();
  const BlobDescriptor packed{.kind = kPacked, .position = 20, .size = 30, .blob_id = 1};
  const BlobDescriptor dedicated{.kind = kDedicated, .size = 50, .blob_id = 1};
  for (size_t length = 0; length < 50; ++length) {
    ASSERT_OK(table.store()->Put(path, std::string(length, 's'), {}));
    for (const BlobDescriptor& descriptor : {packed, dedicated}) {
      ExpectError(table, descriptor, ErrorCode::kCorrupt,
                  "'" + path + "', which has " + std::to_string(length));
    }
  }
  ASSERT_OK(table.store()->Delete(path, {}));
  for (const BlobDescriptor& descriptor : {packed, dedicated}) {
    ExpectError(table, descriptor, ErrorCode::kNotFound, path);
  }
}

TEST(HostileBlobTest, OfAKindThatThereIsNotIsRefused) {
  const BlobTable table = Table();
  for (int kind = 4; kind < 256; ++kind) {
    const BlobDescriptor descriptor{.kind = static_cast<uint8_t>(kind), .size = 1, .blob_id = 1};
    if (kind <= 5) {
      ExpectError(table, descriptor, ErrorCode::kUnsupported, "managed blobs");
    } else {
      ExpectError(table, descriptor, ErrorCode::kCorrupt, "kind");
    }
  }
}

TEST(HostileBlobTest, InAFileThatIsNotThereIsNotFound) {
  const BlobTable table = Table();
  for (const uint32_t blob_id : {0U, 2U, std::numeric_limits<uint32_t>::max()}) {
    for (const uint8_t kind : {kPacked, kDedicated}) {
      ExpectError(table, {.kind = kind, .size = 1, .blob_id = blob_id}, ErrorCode::kNotFound,
                  SidecarPath(BlobTable::kDataFile, blob_id));
    }
  }
}

TEST(HostileBlobTest, InARowOfNoFragmentIsRefused) {
  const BlobTable table = Table();
  for (const uint64_t address : {uint64_t{0}, uint64_t{6} << 32, kMost}) {
    ExpectError(table, {.kind = kInline, .size = 1}, ErrorCode::kInvalidArgument, "no fragment",
                address);
  }
}

TEST(HostileBlobTest, BelowAnUnknownBaseOrOutsideOfOneIsRefused) {
  const BlobTable table = Table();
  for (const uint32_t base : {1U, 8U, std::numeric_limits<uint32_t>::max()}) {
    ExpectError(table, {.kind = kExternal, .size = 1, .blob_id = base, .uri = "o"},
                ErrorCode::kCorrupt, "base");
  }
  for (const char* uri : {"../o", "a/../../o", "/etc/passwd", ".."}) {
    const auto found = table.Find({.kind = kExternal, .size = 1, .blob_id = 7, .uri = uri});
    EXPECT_FALSE(found.ok()) << uri;
    EXPECT_THAT(found.status().message(), HasSubstr("row address")) << uri;
  }
  ExpectError(table, {.kind = kExternal, .size = 1, .blob_id = 7}, ErrorCode::kCorrupt,
              "without a URI");
  ExpectError(table, {.kind = kExternal, .size = 1}, ErrorCode::kCorrupt, "without a URI");
}

TEST(HostileBlobTest, KeepsItsLawsWhateverItsFieldsAre) {
  std::mt19937_64 random(1);
  const std::vector<uint64_t> numbers = {0,   1,         2,  49,        50,    51,  99, 100,
                                         101, kMost / 2, 99, kMost - 1, kMost, 127, 128};
  for (int i = 0; i < 20'000; ++i) {
    std::string input;
    const auto append = [&](uint64_t value, int bytes) {
      for (int byte = 0; byte < bytes; ++byte) {
        input.push_back(static_cast<char>(value >> (8 * byte)));
      }
    };
    append(random() % 8, 1);
    append(random() % 7, 1);
    append(numbers[random() % numbers.size()], 8);
    append(numbers[random() % numbers.size()], 8);
    append(random() % 3, 4);
    append(random() % 200, 2);
    append(random() % 200, 2);
    append(random() % 2 == 0 ? BlobTable::kAddress : random(), 8);
    input += random() % 2 == 0 ? "o" : "../o";
    CheckBlobDescriptor({reinterpret_cast<const uint8_t*>(input.data()), input.size()});
  }
}

}  // namespace
}  // namespace tusk::lance
