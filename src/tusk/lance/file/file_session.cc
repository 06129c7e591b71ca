#include "tusk/lance/file_session.h"

#include <utility>

#include "tusk/lance/file/file_cache.h"
#include "tusk/lance/file/file_state.h"

namespace tusk::lance {

Result<std::shared_ptr<const FileSession>> FileSession::Open(std::string_view uri,
                                                             const FileCacheOptions& options) {
  ARROW_ASSIGN_OR_RAISE(io::StorePath base, io::ResolveUri(uri));
  return std::make_shared<const FileSession>(std::move(base), options);
}

FileSession::FileSession(io::StorePath base, const FileCacheOptions& options)
    : base_(std::move(base)), files_(std::make_unique<FileCache>(options)) {}
FileSession::~FileSession() = default;

Result<std::shared_ptr<const File>> FileSession::OpenFile(std::string_view path,
                                                          const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(io::StorePath location, io::ResolveBelow(base_, path));
  ARROW_ASSIGN_OR_RAISE(const io::ObjectInfo now, base_.store->Head(location.path, context));
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        files_->Open(base_.store.get(), location.path, now.tag, context));
  return File::State::Make(std::move(location), std::move(reader));
}

}  // namespace tusk::lance
