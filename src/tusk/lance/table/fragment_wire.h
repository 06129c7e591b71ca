#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// Reads DataFragment messages without protobuf's objects, which cost more than all else that is
/// done to open a table of many fragments. Lists of fields that are stored as in the fragment
/// before are copied from it, so the messages have to stay as long as the decoder.
/// docs/decisions/022-large-manifests.md.
class FragmentDecoder {
 public:
  /// False, with nothing said of `fragment`, if `message` has anything beyond what is usual: an
  /// unknown field, lineage in columns, a file twice, any error. Protobuf then has to read it.
  bool Decode(std::string_view message, Fragment* fragment);

 private:
  /// A list of numbers and the bytes that it was read from.
  struct Ints {
    std::string_view bytes = {};
    std::vector<int32_t> values = {};
  };
  struct FileInts {
    Ints field_ids;
    Ints column_indices;
  };

  bool DecodeFile(std::string_view message, FileInts* before, DataFile* file);

  std::vector<FileInts> before_;  ///< of the files of the fragment before, by their place in it
};

/// Writes DataFragment messages, byte by byte what protobuf makes of them.
class FragmentEncoder {
 public:
  /// Appends `fragment` as the field number `field` of a message.
  void Append(uint32_t field, const Fragment& fragment, std::string* out);

 private:
  /// A list of numbers as it is stored.
  struct Ints {
    std::vector<int32_t> values = {};
    std::string bytes = {};
  };
  struct FileInts {
    Ints field_ids;
    Ints column_indices;
  };

  static const std::string& Encoded(const std::vector<int32_t>& values, Ints* before);
  void AppendFile(const DataFile& file, FileInts* ints, std::string* out);

  std::vector<FileInts> before_;
  std::string message_;
  std::string file_;
};

}  // namespace tusk::lance
