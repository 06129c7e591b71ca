// Random arrays of random types, written and read back.

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/file.h"
#include "tusk/lance/file/file_laws.h"
#include "tusk/lance/output_file.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::lance {
namespace {

constexpr int64_t kMaxItems = 20'000;

/// Makes fields and arrays of the bytes of an input; behind its end values
/// repeat themselves.
class ArrayMaker {
 public:
  explicit ArrayMaker(FuzzInput* input) : input_(*input) {}

  std::shared_ptr<arrow::Field> MakeField(std::string name, int depth) {
    const uint8_t choice = Byte();
    const bool is_nullable = (choice & 3) != 0;
    const auto type = MakeType(depth);
    auto field = arrow::field(std::move(name), type, is_nullable || type->id() == arrow::Type::NA);
    if ((choice & 0x70) != 0) return field;
    static const std::vector<std::pair<std::string, std::string>> kHints = {
        {"structural-encoding", "fullzip"},
        {"structural-encoding", "miniblock"},
        {"compression", "none"},
        {"compression", "zstd"},
        {"compression", "lz4"},
        {"compression", "fsst"},
        {"bss", "on"},
        {"rle-threshold", "1.0"},
        {"minichunk-size", "128"},
        {"dict-divisor", "1"},
    };
    const auto& [key, value] = kHints[Byte() % kHints.size()];
    return field->WithMetadata(arrow::key_value_metadata({"lance-encoding:" + key}, {value}));
  }

  std::shared_ptr<arrow::Array> MakeArray(const arrow::Field& field, int64_t length) {
    return arrow::MakeArray(Make(field, length));
  }

 private:
  std::shared_ptr<arrow::DataType> MakeType(int depth) {
    if (depth > 0) {
      switch (Byte() % 8) {
        case 0:
          return arrow::list(MakeField("item", depth - 1));
        case 1:
          return arrow::large_list(MakeField("item", depth - 1));
        case 2:
        case 3: {
          arrow::FieldVector fields;
          const int count = Byte() % 4;
          for (int i = 0; i < count; ++i) {
            fields.push_back(MakeField("f" + std::to_string(i), depth - 1));
          }
          return arrow::struct_(fields);
        }
        case 4:
          return arrow::map(arrow::utf8(), MakeField("value", depth - 1));
        case 5:
          // Files do not tell whether the items of plain lists may be null.
          return arrow::fixed_size_list(MakeField("item", depth - 1)->WithNullable(true),
                                        1 + Byte() % 5);
        default:
          break;
      }
    }
    static const arrow::DataTypeVector kLeaves = {
        arrow::int32(),
        arrow::utf8(),
        arrow::boolean(),
        arrow::int8(),
        arrow::int64(),
        arrow::float64(),
        arrow::uint16(),
        arrow::binary(),
        arrow::large_utf8(),
        arrow::fixed_size_binary(3),
        arrow::fixed_size_binary(300),
        arrow::fixed_size_list(arrow::float32(), 4),
        arrow::fixed_size_list(arrow::fixed_size_list(arrow::int16(), 2), 3),
        arrow::dictionary(arrow::int32(), arrow::utf8()),
        arrow::null(),
        arrow::decimal128(30, 2),
    };
    return kLeaves[Byte() % kLeaves.size()];
  }

  std::shared_ptr<arrow::ArrayData> Make(const arrow::Field& field, int64_t length) {
    const auto& type = field.type();
    if (type->id() == arrow::Type::NA) return arrow::ArrayData::Make(type, length, {nullptr});
    auto validity = field.nullable() ? MakeValidity(length) : nullptr;
    switch (type->id()) {
      case arrow::Type::STRING:
      case arrow::Type::BINARY:
        return MakeTexts<int32_t>(type, length, std::move(validity));
      case arrow::Type::LARGE_STRING:
        return MakeTexts<int64_t>(type, length, std::move(validity));
      case arrow::Type::LIST:
      case arrow::Type::MAP:
        return MakeLists<int32_t>(type, length, std::move(validity));
      case arrow::Type::LARGE_LIST:
        return MakeLists<int64_t>(type, length, std::move(validity));
      case arrow::Type::STRUCT: {
        std::vector<std::shared_ptr<arrow::ArrayData>> children;
        for (const auto& child : type->fields()) children.push_back(Make(*child, length));
        return arrow::ArrayData::Make(type, length, {std::move(validity)}, std::move(children));
      }
      case arrow::Type::FIXED_SIZE_LIST: {
        const auto& list = static_cast<const arrow::FixedSizeListType&>(*type);
        auto items = Make(*list.value_field(), length * list.list_size());
        return arrow::ArrayData::Make(type, length, {std::move(validity)}, {std::move(items)});
      }
      case arrow::Type::DICTIONARY: {
        auto items = Make(*arrow::field("", arrow::utf8(), Byte() % 2 == 0), 1 + Byte() % 20);
        std::vector<int32_t> indices(length);
        for (int32_t& index : indices) index = static_cast<int32_t>(Byte() % items->length);
        auto array = arrow::ArrayData::Make(
            type, length, {std::move(validity), arrow::Buffer::FromVector(std::move(indices))});
        array->dictionary = std::move(items);
        return array;
      }
      default:
        return MakeFixed(type, length, std::move(validity));
    }
  }

  std::shared_ptr<arrow::Buffer> MakeValidity(int64_t length) {
    const uint8_t kind = Byte() % 4;
    if (kind == 0) return nullptr;
    std::string bits(BytesForBits(length), kind == 1 ? '\0' : '\xff');
    if (kind == 2) {
      for (char& byte : bits) byte = static_cast<char>(Byte());
    } else if (kind == 3 && length > 0) {
      ClearBits(reinterpret_cast<uint8_t*>(bits.data()), Number() % length, 1);
    }
    return arrow::Buffer::FromString(std::move(bits));
  }

  std::shared_ptr<arrow::ArrayData> MakeFixed(const std::shared_ptr<arrow::DataType>& type,
                                              int64_t length,
                                              std::shared_ptr<arrow::Buffer> validity) {
    const int64_t bits = static_cast<const arrow::FixedWidthType&>(*type).bit_width();
    std::string bytes(BytesForBits(length * bits), '\0');
    const uint8_t kind = Byte() % 4;
    const uint8_t constant = Byte();
    const size_t width = std::max<size_t>(1, bits / 8);
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (kind == 1) bytes[i] = static_cast<char>(constant);
      if (kind == 2 && i % width == 0) bytes[i] = static_cast<char>(Byte());
      if (kind == 3) bytes[i] = static_cast<char>(Byte());
    }
    return arrow::ArrayData::Make(
        type, length, {std::move(validity), arrow::Buffer::FromString(std::move(bytes))});
  }

  /// Ends of `length` parts with at most `kMaxItems` items together.
  template <typename Offset>
  std::vector<Offset> MakeOffsets(int64_t length) {
    std::vector<Offset> offsets = {0};
    const uint8_t kind = Byte() % 4;
    for (int64_t i = 0; i < length; ++i) {
      int64_t size = 0;
      if (kind == 1) size = 2;
      if (kind == 2) size = Byte() % 5;
      if (kind == 3) size = Byte() < 4 ? Number() % 5000 : 0;
      offsets.push_back(static_cast<Offset>(std::min<int64_t>(kMaxItems, offsets.back() + size)));
    }
    return offsets;
  }

  template <typename Offset>
  std::shared_ptr<arrow::ArrayData> MakeTexts(const std::shared_ptr<arrow::DataType>& type,
                                              int64_t length,
                                              std::shared_ptr<arrow::Buffer> validity) {
    auto offsets = MakeOffsets<Offset>(length);
    std::string bytes(offsets.back(), 'a');
    if (Byte() % 2 == 0) {
      for (char& byte : bytes) byte = static_cast<char>(Byte() & 0x7f);
    }
    return arrow::ArrayData::Make(
        type, length,
        {std::move(validity), arrow::Buffer::FromVector(std::move(offsets)),
         arrow::Buffer::FromString(std::move(bytes))});
  }

  template <typename Offset>
  std::shared_ptr<arrow::ArrayData> MakeLists(const std::shared_ptr<arrow::DataType>& type,
                                              int64_t length,
                                              std::shared_ptr<arrow::Buffer> validity) {
    auto offsets = MakeOffsets<Offset>(length);
    auto items = Make(*type->field(0), offsets.back());
    return arrow::ArrayData::Make(
        type, length, {std::move(validity), arrow::Buffer::FromVector(std::move(offsets))},
        {std::move(items)});
  }

  uint8_t Byte() {
    if (input_.left() > 0) return input_.Read<uint8_t>();
    // An xorshift: what repeats too soon would be a page of runs.
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return static_cast<uint8_t>(state_ >> 8);
  }
  int64_t Number() {
    const int64_t high = Byte();
    return high << 8 | Byte();
  }

  FuzzInput& input_;
  uint32_t state_ = 2463534242;
};

/// Writes the rows in batches, slices of `batch`. Unsupported for what cannot
/// be stored.
Status Write(const arrow::RecordBatch& batch, int64_t batch_rows, const OutputFileOptions& options,
             const io::StorePath& place, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto file, OutputFile::Open(place, batch.schema(), options, context));
  for (int64_t row = 0; row < batch.num_rows(); row += batch_rows) {
    ARROW_RETURN_NOT_OK(file->Write(*batch.Slice(row, batch_rows)));
  }
  return file->Finish();
}

void CheckWritten(FuzzInput* input) {
  OutputFileOptions options;
  options.data_storage_version = input->Read<uint8_t>() % 2 == 0 ? "2.2" : "2.1";
  const int64_t page_bytes = input->Read<uint16_t>();
  if (page_bytes > 0) options.pages.max_page_bytes = page_bytes;
  const int64_t num_rows = input->ReadBetween(0, 2100);
  const int64_t batch_rows = input->ReadBetween(1, 2100);
  // A page for each of too many rows takes long.
  if (page_bytes > 0 && page_bytes < num_rows) options.pages.max_page_bytes = num_rows;
  ArrayMaker maker(input);
  const auto field = maker.MakeField("c", 3);
  const auto array = maker.MakeArray(*field, num_rows);
  if (!array->ValidateFull().ok()) return;  // fields that must not be null below null ones
  const auto batch = arrow::RecordBatch::Make(arrow::schema({field}), num_rows, {array});

  OperationContext context;
  const io::StorePath place{.store = io::MakeMemoryStore(), .path = "x"};
  const Status written =
      Write(*batch, std::max(batch_rows, num_rows / 50 + 1), options, place, context);
  if (!written.ok()) {
    RequireRefusal(written);
    Require(!place.store->Head("x", context).ok(), "a file that is not written is not there");
    return;
  }
  const auto file = File::Open(place, context);
  Require(file.status(), "a written file opens");
  const auto rows = (*file)->Read(0, num_rows, {}, context);
  Require(rows.status(), "a written file is read");
  const auto table = (*rows)->ToTable();
  Require(table.status(), "a written file is read whole");
  Require((*table)->num_rows() == num_rows, "a written file has its rows");
  if (num_rows > 0) {
    const auto read = arrow::Concatenate((*table)->column(0)->chunks());
    Require(read.status(), "rows are joined");
    const auto same = arrow::EqualOptions::Defaults().nans_equal(true);
    Require(PlainValues(*(*read)->data())->Equals(*PlainValues(*array->data()), same),
            "rows that are written are read");
  }
  const auto bytes = place.store->Get("x", context);
  Require(bytes.status(), "a written file is there");
  Require(CheckFile({reinterpret_cast<const char*>((*bytes)->data()),
                     static_cast<size_t>((*bytes)->size())},
                    /*is_sound=*/true),
          "a written file is sound");
}

}  // namespace
}  // namespace tusk::lance

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tusk::FuzzInput input(data, size);
  tusk::lance::CheckWritten(&input);
  return 0;
}
