#include "tusk/lance/encodings/decoder_laws.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_shape.h"
#include "tusk/testing/bounded_pool.h"

namespace tusk::lance {
namespace {

using Kind = ValueEncoding::Kind;

/// Deeper than anything that is covered.
constexpr int kMaxDepth = 6;
constexpr int64_t kMaxChunkValues = 32768;

uint64_t ReadNumber(FuzzInput* input) {
  const auto small = input->Read<uint8_t>();
  return small < 255 ? small : input->Read<uint64_t>();
}

ValueEncoding ReadEncoding(FuzzInput* input, int depth) {
  ValueEncoding encoding;
  encoding.kind =
      static_cast<Kind>(input->Read<uint8_t>() % (static_cast<int>(Kind::kBufferCompression) + 1));
  int num_children = 0;
  switch (encoding.kind) {
    case Kind::kFlat:
    case Kind::kInlineBitpacking:
      encoding.bits = ReadNumber(input);
      break;
    case Kind::kOutOfLineBitpacking:
      encoding.bits = ReadNumber(input);
      num_children = 1;
      break;
    case Kind::kFixedSizeList:
      encoding.items = ReadNumber(input);
      encoding.has_validity = input->Read<uint8_t>() % 2 != 0;
      num_children = 1;
      break;
    case Kind::kFsst:
      encoding.symbol_table = AsText(input->TakeSized());
      num_children = 1;
      break;
    case Kind::kGeneral:
      encoding.compression = static_cast<ValueEncoding::Compression>(input->Read<uint8_t>() % 3);
      num_children = 1;
      break;
    case Kind::kVariable:
    case Kind::kByteStreamSplit:
      num_children = 1;
      break;
    case Kind::kPackedStruct:
    case Kind::kVariablePackedStruct: {
      const bool is_variable = encoding.kind == Kind::kVariablePackedStruct;
      const int num_fields = depth < kMaxDepth ? input->Read<uint8_t>() % 5 : 0;
      for (int i = 0; i < num_fields; ++i) {
        const bool is_text = is_variable && input->Read<uint8_t>() % 2 != 0;
        encoding.packed_fields.push_back({.is_variable = is_text, .bits = ReadNumber(input)});
      }
      num_children = is_variable ? num_fields : 1;
      break;
    }
    case Kind::kRle:
      num_children = 2;
      break;
    default:
      break;
  }
  for (int i = 0; i < num_children && depth < kMaxDepth; ++i) {
    encoding.children.push_back(ReadEncoding(input, depth + 1));
  }
  return encoding;
}

std::shared_ptr<arrow::ArrayData> FinishedRows(ColumnOutput* out,
                                               const std::shared_ptr<arrow::DataType>& type) {
  auto array = out->Finish(type);
  if (!array.ok()) {
    RequireRefusal(array.status());
    return nullptr;
  }
  RequireValid(*array, (*array)->length);
  return *std::move(array);
}

}  // namespace

void RequireJustified(int64_t largest_request, size_t input, int64_t declared) {
  const int64_t justified = (1 << 20) + (32 << 10) * static_cast<int64_t>(input) + 2 * declared;
  Require(largest_request <= justified, "memory is taken as far as the bytes justify it");
}

ValueEncoding ReadEncoding(FuzzInput* input) { return ReadEncoding(input, 0); }

std::shared_ptr<arrow::DataType> ReadType(FuzzInput* input) {
  static const std::vector<std::shared_ptr<arrow::DataType>> types = {
      arrow::int8(),
      arrow::int16(),
      arrow::int32(),
      arrow::int64(),
      arrow::boolean(),
      arrow::binary(),
      arrow::large_binary(),
      arrow::fixed_size_binary(16),
      arrow::fixed_size_list(arrow::int16(), 2),
      arrow::fixed_size_list(arrow::boolean(), 3),
      arrow::fixed_size_list(arrow::fixed_size_list(arrow::int8(), 2), 3),
      arrow::fixed_size_list(arrow::fixed_size_list(arrow::boolean(), 5), 1),
      arrow::fixed_size_binary(3),
      arrow::fixed_size_binary(256),
  };
  return types[input->Read<uint8_t>() % types.size()];
}

void RequireRowsOf(const std::shared_ptr<arrow::ArrayData>& whole, int64_t first, int64_t step,
                   const std::shared_ptr<arrow::ArrayData>& taken) {
  const auto from = arrow::MakeArray(whole);
  const auto rows = arrow::MakeArray(taken);
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
  if (step == 1) {
    Require(from->RangeEquals(*rows, first, first + rows->length(), 0, options),
            "a range is a slice of the whole");
    return;
  }
  for (int64_t i = 0; i < rows->length(); ++i) {
    const int64_t row = first + i * step;
    Require(from->RangeEquals(*rows, row, row + 1, i, options),
            "gathered rows are those of the whole");
  }
}

int CheckDecoder(Kind kind, const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const auto type = ReadType(&input);
  const ValueEncoding encoding = ReadEncoding(&input);
  if (encoding.kind != kind) return -1;
  const auto shape = *ValueShape::Of(*type);
  const auto made = MakeValueDecoder(encoding);
  if (!made.ok()) {
    RequireRefusal(made.status());
    return 0;
  }
  const ValueDecoder& decoder = **made;
  if (const Status status = decoder.CheckShape(shape); !status.ok()) {
    RequireRefusal(status);
    return 0;
  }
  const int64_t num_values = input.ReadBetween(1, kMaxChunkValues);
  const int64_t begin = input.ReadBetween(0, num_values - 1);
  const int64_t length = input.ReadBetween(1, num_values - begin);
  const int64_t first = std::min<int64_t>(input.Read<uint8_t>(), num_values - 1);
  const int64_t step = int64_t{input.Read<uint8_t>()} + 1;

  std::vector<std::shared_ptr<arrow::Buffer>> copies;
  std::vector<std::span<const uint8_t>> buffers;
  uint64_t bytes = 0;
  for (size_t i = 0; i < decoder.num_buffers(); ++i) {
    const bool is_last = i + 1 == decoder.num_buffers();
    copies.push_back(ExactCopy(is_last ? input.Rest() : input.TakeSized()));
    buffers.emplace_back(copies.back()->data(), copies.back()->size());
    bytes += buffers.back().size();
  }
  // A page that claims more is refused before its chunks are decoded.
  if (decoder.MinBytes(static_cast<uint64_t>(num_values)) > bytes) return 0;
  const EncodedChunk chunk{.buffers = buffers, .num_values = num_values};

  BoundedPool pool(kFuzzedMemory);
  const auto decode = [&](RowRange rows, int64_t position) {
    // Rows around those that are decoded, so that what is written beside them shows.
    ColumnOutput out(shape, position + rows.length() + position, &pool);
    const Status status = decoder.DecodeInto(chunk, rows, position, &out);
    if (status.ok()) return FinishedRows(&out, type);
    RequireRefusal(status);
    return std::shared_ptr<arrow::ArrayData>();
  };
  const auto whole = decode({.begin = 0, .end = num_values}, 0);
  const int64_t position = begin % 4;
  const auto part = decode({.begin = begin, .end = begin + length}, position);

  // Numbers of rows in the column, where the chunk is not the first.
  const int64_t first_row = begin;
  std::vector<TakenRow> rows;
  for (int64_t row = first; row < num_values; row += step) {
    rows.push_back({.row = first_row + row, .position = static_cast<int64_t>(rows.size())});
  }
  ColumnOutput gathered(shape, static_cast<int64_t>(rows.size()), &pool);
  for (int i = 0; i < ValueDecoder::kPrefetchSteps; ++i) {
    decoder.Prefetch(chunk, rows, first_row, i);
  }
  const Status status = decoder.GatherInto(chunk, rows, first_row, &gathered);
  std::shared_ptr<arrow::ArrayData> taken;
  if (status.ok()) {
    taken = FinishedRows(&gathered, type);
  } else {
    RequireRefusal(status);
  }
  const int64_t declared = shape.is_variable ? (num_values + 2) * shape.bits / 8
                                             : (num_values + 2) * (shape.row_bits() + 7) / 8;
  RequireJustified(pool.largest_request(), size, declared);

  // What the whole has, its parts have; the limit on memory may hit any of them.
  if (whole == nullptr) return 0;
  Require(part != nullptr && taken != nullptr, "what is read whole can be read in part");
  RequireRowsOf(whole, begin, 1, part->Slice(position, length));
  RequireRowsOf(whole, first, step, taken);
  return 0;
}

}  // namespace tusk::lance
