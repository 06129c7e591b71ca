#include "tusk/lance/file/arrow_compute.h"

#include <utility>

#include <arrow/array/data.h>
#include <arrow/compute/api_aggregate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/datum.h>
#include <arrow/scalar.h>

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
