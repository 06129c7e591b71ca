#include "tusk/lance/file/write/blob_descriptors.h"

#include <memory>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/file/page.h"

namespace tusk::lance {

Status BlobDescriptors::Append(const LeafRows& rows, const Write& write) {
  const arrow::ArrayData& values = *rows.values;
  const uint8_t* validity = values.MayHaveNulls() ? values.buffers[0]->data() : nullptr;
  const auto* offsets = values.GetValues<int64_t>(1);
  for (int64_t row = 0; row < values.length; ++row) {
    uint16_t definition = rows.definition.empty() ? 0 : rows.definition[row];
    if (rows.definition.empty() && validity != nullptr) {
      definition = GetBit(validity, values.offset + row) ? 0 : 1;
    }
    if (definition != 0) {
      // Levels of rows without bytes stand where the position would.
      has_nulls_ = true;
      words_.insert(words_.end(), {uint64_t{definition} << 16, 0});
      continue;
    }
    const auto size = static_cast<size_t>(offsets[row + 1] - offsets[row]);
    int64_t position = 0;
    if (size > 0) {
      ARROW_ASSIGN_OR_RAISE(position, write({values.buffers[2]->data() + offsets[row], size}));
    }
    words_.insert(words_.end(), {static_cast<uint64_t>(position), size});
  }
  return Status::OK();
}

Result<EncodedPage> BlobDescriptors::Finish(const std::vector<LevelLayer>& layers,
                                            const PageFormat& format,
                                            const OperationContext& context) {
  const ValueShape shape = BlobDescriptorShape();
  PageSlots slots;
  slots.num_rows = num_rows();
  slots.num_entries = num_rows();
  slots.layers = {LevelLayer::kAllValidItem};
  slots.values.shape = &shape;
  slots.values.num_rows = num_rows();
  slots.values.values = reinterpret_cast<const uint8_t*>(words_.data());
  const auto encoder = MakeFlatEncoder(shape);
  ARROW_ASSIGN_OR_RAISE(
      auto page, EncodeMiniBlockPage(format, slots, slots.values, encoder.get(), nullptr, context));
  // Descriptors of 16 bytes fit any chunk.
  page->num_rows = slots.num_rows;
  page->summary.checksum = page->ChecksumOfBuffers();
  page->layout = {
      .layout = BlobLayout{.inner = std::make_shared<const PageLayout>(std::move(page->layout))},
      .layers =
          has_nulls_ ? layers : std::vector<LevelLayer>(layers.size(), LevelLayer::kAllValidItem)};
  words_.clear();
  has_nulls_ = false;
  return *std::move(page);
}

}  // namespace tusk::lance
