// Records of any bytes under a schema that is one, in a file whose frame is right: a changed byte
// of a whole file mostly breaks its compression or a marker. An input has the schema, its size in
// front in 16 bits, and the records, of which as many are taken as can be passed over.

#include <string>

#include "tusk/iceberg/avro_file.h"
#include "tusk/iceberg/manifest_laws.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::iceberg {
namespace {

constexpr int64_t kMostRecords = 10'000;

/// The whole records at the front of `bytes`, and how many they are.
std::pair<std::string_view, int64_t> WholeRecords(const AvroType& schema, std::string_view bytes) {
  AvroDecoder decoder(bytes);
  size_t size = 0;
  int64_t count = 0;
  while (decoder.remaining() > 0 && count < kMostRecords && SkipAvro(schema, &decoder).ok()) {
    if (decoder.offset() == size) break;  // a record without bytes
    size = decoder.offset();
    ++count;
  }
  return {bytes.substr(0, size), count};
}

std::string FileOf(std::string_view schema, std::string_view records, int64_t count) {
  constexpr std::string_view kSync = "0123456789abcdef";
  AvroEncoder file;
  file.PutFixed(std::string_view("Obj\x01", 4));
  file.PutLong(1);
  file.PutBytes("avro.schema");
  file.PutBytes(schema);
  file.PutLong(0);
  file.PutFixed(kSync);
  file.PutLong(count);
  file.PutBytes(records);
  file.PutFixed(kSync);
  return file.bytes();
}

}  // namespace
}  // namespace tusk::iceberg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::iceberg;
  tusk::FuzzInput input(data, size);
  const std::string_view schema = tusk::AsText(input.TakeSized());
  const auto parsed = ParseAvroSchema(schema);
  if (!parsed.ok()) {
    tusk::RequireRefusal(parsed.status());
    return 0;
  }
  const auto [records, count] = WholeRecords(**parsed, tusk::AsText(input.Rest()));
  const std::string file = FileOf(schema, records, count);
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(file.data()), file.size());
  CheckManifest(bytes);
  CheckManifestList(bytes);
  return 0;
}
