#include "tusk/lance/file/arrow_compute.h"

#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_aggregate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/datum.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bitmap_ops.h>

#include "tusk/lance/file/set_bits.h"

namespace tusk::lance {
namespace {

Status Initialize() {
  static const Status initialized = arrow::compute::Initialize();
  return initialized;
}

/// What `kernel` makes within a context of the pool.
template <typename Kernel>
Result<std::shared_ptr<arrow::ArrayData>> Call(arrow::MemoryPool* pool, const Kernel& kernel) {
  ARROW_RETURN_NOT_OK(Initialize());
  arrow::compute::ExecContext context(pool);
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum made, kernel(&context));
  return made.array();
}

/// Of values, or indices of a dictionary, that are words; else 0.
int WordBytes(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY) {
    return static_cast<const arrow::DictionaryType&>(type).index_type()->byte_width();
  }
  const bool is_word = arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
                       arrow::is_temporal(type.id());
  return is_word ? type.byte_width() : 0;
}

/// Arrow goes by runs of rows, which is slow where they are short.
template <typename Word>
Result<std::shared_ptr<arrow::ArrayData>> KeepWords(const arrow::ArrayData& array,
                                                    const arrow::ArrayData& mask,
                                                    arrow::MemoryPool* pool) {
  const uint8_t* bits = mask.buffers[1]->data();
  const int64_t count = arrow::internal::CountSetBits(bits, mask.offset, mask.length);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> kept,
                        arrow::AllocateBuffer(count * int64_t{sizeof(Word)}, pool));
  const auto* from = array.GetValues<Word>(1);
  auto* to = reinterpret_cast<Word*>(kept->mutable_data());
  VisitSetBits(bits, mask.offset, mask.length, [&](int64_t row) { *to++ = from[row]; });
  auto result = arrow::ArrayData::Make(array.type, count, {nullptr, std::move(kept)}, 0);
  result->dictionary = array.dictionary;
  return result;
}

}  // namespace

Result<std::shared_ptr<arrow::ArrayData>> TakeRows(std::shared_ptr<arrow::ArrayData> array,
                                                   std::shared_ptr<arrow::ArrayData> rows,
                                                   arrow::MemoryPool* pool) {
  return Call(pool, [&](arrow::compute::ExecContext* context) {
    return arrow::compute::Take(arrow::Datum(std::move(array)), arrow::Datum(std::move(rows)),
                                arrow::compute::TakeOptions::NoBoundsCheck(), context);
  });
}

Result<std::shared_ptr<arrow::ArrayData>> KeepRows(std::shared_ptr<arrow::ArrayData> array,
                                                   std::shared_ptr<arrow::ArrayData> mask,
                                                   arrow::MemoryPool* pool) {
  if (mask->GetNullCount() == 0 && array->GetNullCount() == 0) {
    switch (WordBytes(*array->type)) {
      case 1:
        return KeepWords<uint8_t>(*array, *mask, pool);
      case 2:
        return KeepWords<uint16_t>(*array, *mask, pool);
      case 4:
        return KeepWords<uint32_t>(*array, *mask, pool);
      case 8:
        return KeepWords<uint64_t>(*array, *mask, pool);
      default:
        break;
    }
  }
  return Call(pool, [&](arrow::compute::ExecContext* context) {
    return arrow::compute::Filter(arrow::Datum(std::move(array)), arrow::Datum(std::move(mask)),
                                  arrow::compute::FilterOptions::Defaults(), context);
  });
}

Result<std::shared_ptr<arrow::ArrayData>> CastTo(std::shared_ptr<arrow::ArrayData> array,
                                                 const std::shared_ptr<arrow::DataType>& type,
                                                 arrow::MemoryPool* pool) {
  return Call(pool, [&](arrow::compute::ExecContext* context) {
    return arrow::compute::Cast(arrow::Datum(std::move(array)), type,
                                arrow::compute::CastOptions::Safe(), context);
  });
}

Result<std::shared_ptr<arrow::ArrayData>> EncodeAsDictionary(
    std::shared_ptr<arrow::ArrayData> array, arrow::MemoryPool* pool) {
  return Call(pool, [&](arrow::compute::ExecContext* context) {
    return arrow::compute::DictionaryEncode(arrow::Datum(std::move(array)),
                                            arrow::compute::DictionaryEncodeOptions::Defaults(),
                                            context);
  });
}

Result<std::shared_ptr<arrow::ArrayData>> DropNulls(std::shared_ptr<arrow::ArrayData> array,
                                                    arrow::MemoryPool* pool) {
  return Call(pool, [&](arrow::compute::ExecContext* context) {
    return arrow::compute::DropNull(arrow::Datum(std::move(array)), context);
  });
}

Result<Bounds> FindMinMax(const arrow::ArrayData& values, arrow::MemoryPool* pool) {
  ARROW_RETURN_NOT_OK(Initialize());
  arrow::compute::ExecContext context(pool);
  // A page is encoded on one thread; others have their own.
  context.set_use_threads(false);
  ARROW_ASSIGN_OR_RAISE(
      const arrow::Datum found,
      arrow::compute::MinMax(arrow::Datum(values.Copy()),
                             arrow::compute::ScalarAggregateOptions::Defaults(), &context));
  const auto& pair = found.scalar_as<arrow::StructScalar>();
  return Bounds{.least = pair.value[0], .greatest = pair.value[1]};
}

}  // namespace tusk::lance
