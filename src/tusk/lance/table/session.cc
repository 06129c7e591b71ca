#include "tusk/lance/session.h"

#include <utility>

#include "tusk/lance/file/file_cache.h"
#include "tusk/lance/table/dataset_state.h"

namespace tusk::lance {

Session::Session(std::shared_ptr<FileCache> files) : files_(std::move(files)) {}

Session::~Session() = default;

std::shared_ptr<const Session> Session::Make(const FileCacheOptions& options) {
  return std::make_shared<const Session>(std::make_shared<FileCache>(options));
}

std::shared_ptr<const Session> Session::Of(const Dataset& table) {
  return std::make_shared<const Session>(table.state().files);
}

int64_t Session::num_bytes() const { return files_->num_bytes() + files_->num_range_bytes(); }

Result<std::shared_ptr<const Dataset>> Session::Join(const Dataset& table) const {
  const Dataset::State& state = table.state();
  Reading reading = state.reading();
  reading.files = files_;
  return state.ReadAs(std::move(reading));
}

}  // namespace tusk::lance
