#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/export.h"
#include "tusk/io/object_store.h"

namespace tusk::lance {

/// A layout of a page or one step of an encoding, with what is inside it. Names are those of the
/// format's messages, in the order of their fields.
struct TUSK_EXPORT EncodingDescription {
  std::string name;                                                  ///< "InlineBitpacking"
  std::vector<std::pair<std::string, std::string>> properties = {};  ///< {"num_items", "1024"}
  std::vector<std::pair<std::string, EncodingDescription>> parts =
      {};  ///< {"value_compression", ...}

  /// On one line: "Fsst(symbol_table=2312 bytes,
  /// values=Variable(offsets=Flat(bits_per_value=32)))".
  std::string ToString() const;
};

struct PageDescription {
  int64_t first_row = 0;
  int64_t num_rows = 0;
  /// What the page stores: in a list's column the items of its rows, null ones included. The rows
  /// where the layout does not count them, as that of a constant.
  int64_t num_values = 0;
  int64_t num_bytes = 0;  ///< of its buffers
  std::vector<io::ByteRange> buffers;
  /// mini_block, full_zip, constant, all_null, blob; array in files of version 2.0.
  std::string layout;
  /// How the values are encoded, from the outside in, without levels: "fsst > variable".
  std::string codecs;
  EncodingDescription encoding;  ///< all that the page's metadata says
};

/// One physical column: a leaf of the schema, as a rule.
struct TUSK_EXPORT ColumnDescription {
  std::string field;         ///< path of the field that it holds: "points.item.x"
  std::string logical_type;  ///< as the file has it: "fixed_size_list:float:768"
  std::string content;       ///< values, packed struct, blob descriptors, struct, list offsets
  int64_t num_values = 0;    ///< over its pages
  int64_t num_bytes = 0;     ///< of its pages and buffers, without metadata
  int64_t num_metadata_bytes = 0;
  std::vector<io::ByteRange> buffers;  ///< of the column as a whole
  std::vector<PageDescription> pages;

  /// How many pages have each layout with its codecs: {"mini_block fsst > variable", 3}.
  std::map<std::string, int64_t> CountEncodings() const;
};

/// What the metadata of a Lance file says of it.
struct FileDescription {
  int64_t num_bytes = 0;  ///< the size of the file
  int64_t num_rows = 0;
  std::string version;        ///< of the data: "2.2"
  uint16_t footer_major = 0;  ///< 0.3 is what files of version 2.0 have
  uint16_t footer_minor = 0;
  std::shared_ptr<arrow::Schema> schema;
  std::vector<io::ByteRange> global_buffers;  ///< number 0 is the file's descriptor
  /// Of the three parts of a file: values and what is between them, the metadata of columns with
  /// the table of it, and global buffers.
  int64_t num_data_bytes = 0;
  int64_t num_column_metadata_bytes = 0;
  int64_t num_global_buffer_bytes = 0;
  std::vector<ColumnDescription> columns;
};

}  // namespace tusk::lance
