#include "tusk/lance/file/list_items.h"

#include <cstdint>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

namespace tusk::lance {
namespace {

template <typename Offset>
Result<std::shared_ptr<arrow::ArrayData>> Trim(const std::shared_ptr<arrow::ArrayData>& lists,
                                               arrow::MemoryPool* pool) {
  // Lists without rows may be without offsets.
  const bool has_offsets = lists->length > 0;
  const auto* old_offsets = has_offsets ? lists->GetValues<Offset>(1) : nullptr;
  const Offset first = has_offsets ? old_offsets[0] : 0;
  const Offset end = has_offsets ? old_offsets[lists->length] : 0;
  const auto& items = lists->child_data[0];
  if (has_offsets && lists->offset == 0 && first == 0 && end == items->length) return lists;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                        arrow::AllocateBuffer((lists->length + 1) * int64_t{sizeof(Offset)}, pool));
  auto* offset = reinterpret_cast<Offset*>(offsets->mutable_data());
  offset[0] = 0;
  for (int64_t row = 1; row <= lists->length; ++row) offset[row] = old_offsets[row] - first;
  std::shared_ptr<arrow::Buffer> validity;
  if (lists->MayHaveNulls()) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::CopyBitmap(pool, lists->buffers[0]->data(),
                                                                lists->offset, lists->length));
  }
  return arrow::ArrayData::Make(lists->type, lists->length,
                                {std::move(validity), std::move(offsets)},
                                {items->Slice(first, end - first)});
}

}  // namespace

bool IsListOfItems(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST;
}

Result<std::shared_ptr<arrow::ArrayData>> TrimItems(const std::shared_ptr<arrow::ArrayData>& lists,
                                                    arrow::MemoryPool* pool) {
  return lists->type->id() == arrow::Type::LIST ? Trim<int32_t>(lists, pool)
                                                : Trim<int64_t>(lists, pool);
}

std::shared_ptr<arrow::ArrayData> WithItems(const arrow::ArrayData& lists,
                                            std::shared_ptr<arrow::ArrayData> items) {
  auto field = lists.type->field(0)->WithType(items->type);
  auto changed = lists.Copy();
  const bool is_large = lists.type->id() == arrow::Type::LARGE_LIST;
  changed->type = is_large ? arrow::large_list(std::move(field)) : arrow::list(std::move(field));
  changed->child_data = {std::move(items)};
  return changed;
}

}  // namespace tusk::lance
