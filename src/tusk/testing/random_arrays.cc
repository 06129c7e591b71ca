#include "tusk/testing/random_arrays.h"

#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace tusk {
namespace {

using arrow::ArrayData;
using arrow::Buffer;

std::shared_ptr<Buffer> RandomBytes(int64_t size, std::mt19937_64* random) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>((*random)());
  return Buffer::FromString(std::move(bytes));
}

std::shared_ptr<Buffer> RandomValidity(int64_t num_rows, double null_fraction,
                                       std::mt19937_64* random) {
  if (null_fraction == 0) return nullptr;
  std::string bits((num_rows + 7) / 8, '\0');
  std::bernoulli_distribution is_null(null_fraction);
  for (int64_t i = 0; i < num_rows; ++i) {
    if (!is_null(*random)) bits[i / 8] = static_cast<char>(bits[i / 8] | 1 << (i % 8));
  }
  return Buffer::FromString(std::move(bits));
}

template <typename Offset>
std::shared_ptr<ArrayData> RandomTexts(const std::shared_ptr<arrow::DataType>& type,
                                       int64_t num_rows, const RandomArrayOptions& options,
                                       std::shared_ptr<Buffer> validity, std::mt19937_64* random) {
  std::vector<Offset> offsets = {0};
  std::string bytes;
  std::uniform_int_distribution<int64_t> length(0, options.max_length);
  for (int64_t i = 0; i < num_rows; ++i) {
    const int64_t count = length(*random);
    for (int64_t j = 0; j < count; ++j) bytes.push_back(static_cast<char>('a' + (*random)() % 26));
    offsets.push_back(static_cast<Offset>(bytes.size()));
  }
  return ArrayData::Make(type, num_rows,
                         {std::move(validity), Buffer::FromVector(std::move(offsets)),
                          Buffer::FromString(std::move(bytes))});
}

std::shared_ptr<ArrayData> RandomData(const std::shared_ptr<arrow::DataType>& type,
                                      int64_t num_rows, const RandomArrayOptions& options,
                                      std::mt19937_64* random) {
  auto validity = RandomValidity(num_rows, options.null_fraction, random);
  switch (type->id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return RandomTexts<int32_t>(type, num_rows, options, std::move(validity), random);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return RandomTexts<int64_t>(type, num_rows, options, std::move(validity), random);
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto& list = static_cast<const arrow::FixedSizeListType&>(*type);
      auto items = RandomData(list.value_type(), num_rows * list.list_size(), {}, random);
      return ArrayData::Make(type, num_rows, {std::move(validity)}, {std::move(items)});
    }
    default: {
      if (!arrow::is_fixed_width(type->id())) std::abort();
      const int64_t bits = num_rows * static_cast<const arrow::FixedWidthType&>(*type).bit_width();
      return ArrayData::Make(type, num_rows,
                             {std::move(validity), RandomBytes((bits + 7) / 8, random)});
    }
  }
}

}  // namespace

std::shared_ptr<arrow::Array> RandomArray(const std::shared_ptr<arrow::DataType>& type,
                                          int64_t num_rows, const RandomArrayOptions& options,
                                          std::mt19937_64* random) {
  return arrow::MakeArray(RandomData(type, num_rows, options, random));
}

std::shared_ptr<arrow::RecordBatch> RandomBatch(const std::shared_ptr<arrow::Schema>& schema,
                                                int64_t num_rows, const RandomArrayOptions& options,
                                                std::mt19937_64* random) {
  std::vector<std::shared_ptr<ArrayData>> columns;
  for (const auto& field : schema->fields()) {
    RandomArrayOptions field_options = options;
    if (!field->nullable()) field_options.null_fraction = 0;
    columns.push_back(RandomData(field->type(), num_rows, field_options, random));
  }
  return arrow::RecordBatch::Make(schema, num_rows, std::move(columns));
}

}  // namespace tusk
