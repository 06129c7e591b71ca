#include "tusk/lance/table/data_file.h"

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "tusk/base/uuid.h"

namespace tusk::lance {

std::string NewDataFileName() {
  // 24 binary digits, which spread keys over an object store's partitions, and 104 random bits in
  // base 32. Every manifest repeats the names of all files, so that each letter counts.
  static constexpr char kDigits[] = "0123456789abcdefghjkmnpqrstvwxyz";
  constexpr size_t kBinaryBytes = 3;
  constexpr int kDigitBits = 5;
  const std::array<uint8_t, 16> random = RandomUuid();
  std::string name;
  uint32_t bits = 0;
  int num_bits = 0;
  for (size_t i = 0; i < random.size(); ++i) {
    if (i < kBinaryBytes) {
      for (int bit = 7; bit >= 0; --bit) name.push_back((random[i] >> bit & 1) != 0 ? '1' : '0');
      continue;
    }
    bits = bits << 8 | random[i];
    num_bits += 8;
    const bool is_last = i + 1 == random.size();
    for (; num_bits >= kDigitBits || (is_last && num_bits > 0); num_bits -= kDigitBits) {
      const uint32_t shifted = num_bits >= kDigitBits ? bits >> (num_bits - kDigitBits)
                                                      : bits << (kDigitBits - num_bits);
      name.push_back(kDigits[shifted & 31U]);
    }
  }
  return name + ".lance";
}

std::string DataFilePath(const io::StorePath& table, std::string_view name) {
  return io::JoinPath(io::JoinPath(table.path, "data"), name);
}

Fragment FragmentOf(std::string name, FileSummary file) {
  Fragment fragment;
  fragment.physical_rows = file.num_rows;
  fragment.files.push_back({.path = std::move(name),
                            .field_ids = std::move(file.field_ids),
                            .column_indices = std::move(file.column_indices),
                            .major_version = file.major_version,
                            .minor_version = file.minor_version,
                            .size_bytes = static_cast<uint64_t>(file.size_bytes),
                            .base_id = std::nullopt,
                            .carried = {}});
  return fragment;
}

}  // namespace tusk::lance
