#pragma once

#include <cstdint>
#include <memory>

#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file_session.h"

namespace tusk::lance {

/// What several open tables of one store keep of their files, together: an open version that is in
/// no session keeps its own. A file stays open as the first table has opened it, memory_map
/// included. Thread-safe.
class TUSK_EXPORT Session {
 public:
  static std::shared_ptr<const Session> Make(const FileCacheOptions& options);
  /// That of an open version, which others can join.
  static std::shared_ptr<const Session> Of(const Dataset& table);

  /// Bytes that are kept now.
  int64_t num_bytes() const;
  bool IsSameAs(const Session& other) const { return files_ == other.files_; }
  /// The same version of the table, in this session. Costs a copy of what its manifest says.
  Result<std::shared_ptr<const Dataset>> Join(const Dataset& table) const;

  explicit Session(std::shared_ptr<FileCache> files);
  ~Session();

 private:
  std::shared_ptr<FileCache> files_;
};

}  // namespace tusk::lance
