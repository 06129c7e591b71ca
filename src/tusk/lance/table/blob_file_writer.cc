#include "tusk/lance/blob_file_writer.h"

#include <utility>

#include "tusk/lance/table/blob_locator.h"

namespace tusk::lance {

BlobFileWriter::BlobFileWriter(std::string path, std::unique_ptr<io::ObjectWriter> file)
    : path_(std::move(path)), file_(std::move(file)) {}

BlobFileWriter::~BlobFileWriter() = default;

Result<std::unique_ptr<BlobFileWriter>> BlobFileWriter::Open(const io::StorePath& data_file,
                                                             uint32_t blob_id,
                                                             const OperationContext& context) {
  if (blob_id == 0) {
    return InvalidArgument("files of blobs beside a data file have numbers from 1 on, not 0");
  }
  if (!data_file.path.ends_with(".lance")) {
    return InvalidArgument("'", data_file.path,
                           "' is no path of a data file: it must end in .lance");
  }
  std::string path = SidecarPath(data_file.path, blob_id);
  ARROW_ASSIGN_OR_RAISE(auto file, data_file.store->Create(path, context));
  return std::make_unique<BlobFileWriter>(std::move(path), std::move(file));
}

Status BlobFileWriter::Append(std::span<const uint8_t> bytes) { return file_->Append(bytes); }

Status BlobFileWriter::Finish() { return file_->Finish(); }

int64_t BlobFileWriter::bytes_written() const { return file_->bytes_written(); }

}  // namespace tusk::lance
