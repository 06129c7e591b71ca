#include "tusk/lance/table/blob_sidecars.h"

#include <algorithm>
#include <limits>
#include <string>

#include "tusk/lance/table/blob_locator.h"

namespace tusk::lance {

Result<std::unique_ptr<io::ObjectWriter>> BlobSidecars::Create(uint32_t* id) {
  if (next_id_ == std::numeric_limits<uint32_t>::max()) {
    return Unsupported("'", data_file_.path, "' has as many files beside it as can be told apart",
                       ": write fewer rows to a file");
  }
  *id = next_id_++;
  return data_file_.store->Create(SidecarPath(data_file_.path, *id), context_);
}

Result<StoredBlob> BlobSidecars::StoreAlone(const BlobSource& source) {
  StoredBlob stored{.kind = BlobKind::kDedicated};
  ARROW_ASSIGN_OR_RAISE(const auto file, Create(&stored.blob_id));
  ARROW_RETURN_NOT_OK(source.AppendTo(file.get(), context_));
  ARROW_RETURN_NOT_OK(file->Finish());
  return stored;
}

Result<StoredBlob> BlobSidecars::StoreWithOthers(const BlobSource& source, uint64_t most_bytes) {
  const bool fits = pack_ != nullptr && pack_limit_ == most_bytes &&
                    source.size() <= most_bytes - std::min(most_bytes, pack_bytes_);
  if (!fits) {
    ARROW_RETURN_NOT_OK(FinishPack());
    ARROW_ASSIGN_OR_RAISE(pack_, Create(&pack_id_));
    pack_limit_ = most_bytes;
    pack_bytes_ = 0;
  }
  const StoredBlob stored{.kind = BlobKind::kPacked, .position = pack_bytes_, .blob_id = pack_id_};
  ARROW_RETURN_NOT_OK(source.AppendTo(pack_.get(), context_));
  pack_bytes_ += source.size();
  return stored;
}

Status BlobSidecars::FinishPack() {
  if (pack_ == nullptr) return Status::OK();
  const Status status = pack_->Finish();
  pack_.reset();
  return status;
}

Status BlobSidecars::Finish() { return FinishPack(); }

void RemoveSidecars(const io::StorePath& data_file, const OperationContext& context) {
  const std::string any = SidecarPath(data_file.path, 0);
  const auto files = data_file.store->List(any.substr(0, any.rfind('/')), context);
  if (!files.ok()) return;
  for (const io::ObjectInfo& file : *files) {
    if (file.path.ends_with(".blob")) (void)data_file.store->Delete(file.path, context);
  }
}

}  // namespace tusk::lance
