#pragma once

#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "tusk/io/object_store.h"
#include "tusk/lance/file.h"
#include "tusk/lance/file/reader.h"

namespace tusk::lance {

/// What an open file knows. Readers of it share it and keep it alive.
struct File::State {
  io::StorePath location;
  std::shared_ptr<const FileReader> reader;
  std::string version;
  std::shared_ptr<arrow::Schema> schema;

  /// The file that `reader` has opened at `location`.
  static Result<std::shared_ptr<const File>> Make(io::StorePath location,
                                                  std::shared_ptr<const FileReader> reader);
};

}  // namespace tusk::lance
