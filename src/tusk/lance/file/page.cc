#include "tusk/lance/file/page.h"

namespace tusk::lance {

Result<std::unique_ptr<const PageIndex>> Page::ParseIndex(
    std::span<const std::shared_ptr<arrow::Buffer>> /*bytes*/, arrow::MemoryPool* /*pool*/) const {
  return std::make_unique<PageIndex>();
}

Status Page::PutPrefix(const uint8_t* /*prefix*/, int64_t /*position*/,
                       ColumnOutput* /*out*/) const {
  return Unsupported("nothing stands in front of the rows of the page");
}

Status Page::PutTextPrefix(std::span<const uint8_t> /*prefix*/, int64_t /*length*/,
                           int64_t /*position*/, ColumnOutput* /*out*/) const {
  return Unsupported("nothing stands in front of the texts of the page");
}

Status Page::DecodeItems(const PageIndex* /*index*/, int64_t /*position*/,
                         ColumnOutput* /*out*/) const {
  return Unsupported("the rows of the page are no codes of items");
}

Status Page::DecodeCodes(const PageIndex* /*index*/, const PageRequest& /*request*/,
                         std::span<const PlannedRead> /*reads*/,
                         std::span<const std::shared_ptr<arrow::Buffer>> /*bytes*/,
                         ColumnOutput* /*out*/) const {
  return Unsupported("the rows of the page are no codes of items");
}

Result<std::unique_ptr<const Page>> MakePage(const PageLayout& page, int64_t num_rows,
                                             std::span<const io::ByteRange> buffers) {
  if (const auto* mini_block = std::get_if<MiniBlockLayout>(&page.layout)) {
    return MakeMiniBlockPage(*mini_block, page.layers, num_rows, buffers);
  }
  if (const auto* full_zip = std::get_if<FullZipLayout>(&page.layout)) {
    return MakeFullZipPage(*full_zip, page.layers, num_rows, buffers);
  }
  if (const auto* constant = std::get_if<ConstantLayout>(&page.layout)) {
    return MakeConstantPage(*constant, page.layers, num_rows, buffers);
  }
  return MakeBlobPage(std::get<BlobLayout>(page.layout), page.layers, num_rows, buffers);
}

}  // namespace tusk::lance
