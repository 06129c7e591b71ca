#pragma once

#include <cstdint>
#include <memory>
#include <random>

#include <arrow/type_fwd.h>

namespace tusk {

/// Random rows of any type that tusk stores: fixed width, text and binary, fixed-size lists of
/// fixed width. Texts have up to `max_length` bytes. Values under nulls are not zero.
struct RandomArrayOptions {
  double null_fraction = 0;
  int64_t max_length = 40;
};

/// `num_rows` rows of `type`. Aborts on a type that it does not know.
std::shared_ptr<arrow::Array> RandomArray(const std::shared_ptr<arrow::DataType>& type,
                                          int64_t num_rows, const RandomArrayOptions& options,
                                          std::mt19937_64* random);

/// `num_rows` rows of every field of `schema`; fields that are not nullable get no nulls.
std::shared_ptr<arrow::RecordBatch> RandomBatch(const std::shared_ptr<arrow::Schema>& schema,
                                                int64_t num_rows, const RandomArrayOptions& options,
                                                std::mt19937_64* random);

}  // namespace tusk
