#include "tusk/lance/file/file_laws.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <arrow/array/array_base.h>
#include <arrow/array/array_dict.h>
#include <arrow/array/array_nested.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/io/object_store.h"
#include "tusk/lance/file/column.pb.h"
#include "tusk/lance/file/describe.h"
#include "tusk/lance/file/field_path.h"
#include "tusk/lance/file/footer.h"
#include "tusk/lance/file/reader.h"
#include "tusk/lance/file/stored_file.h"
#include "tusk/testing/bounded_pool.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::lance {
namespace {

constexpr int64_t kMaxRows = 5000;
constexpr uint64_t kBufferAlignment = 64;

/// What may be said of a path.
void RequireNoneOrRefusal(const Status& error) {
  if (GetErrorCode(error) != ErrorCode::kNotFound) RequireRefusal(error);
}

/// The values of the only column of `batch`, which has the type of `field` and `num_rows` rows.
Result<std::shared_ptr<arrow::Array>> OnlyColumn(
    const Result<std::shared_ptr<arrow::RecordBatch>>& batch, const Field& field,
    int64_t num_rows) {
  if (!batch.ok()) {
    RequireRefusal(batch.status());
    return batch.status();
  }
  Require((*batch)->num_columns() == 1 && (*batch)->num_rows() == num_rows,
          "a read has the columns and rows that were asked for");
  const auto declared = ToArrowField(field);
  Require(declared.status(), "what is read has a type");
  Require((*batch)->column(0)->type()->Equals((*declared)->type()),
          "a result has its declared type");
  RequireValid((*batch)->column(0)->data(), num_rows);
  return PlainValues(*(*batch)->column_data(0));
}

/// Reads the children of the struct `field` alone: each as it is in the whole, and so are the
/// struct's nulls.
Status CheckChildren(const FileReader& file, const Field& field,
                     const std::shared_ptr<arrow::Array>& whole, const OperationContext& context) {
  const auto& parent = static_cast<const arrow::StructArray&>(*whole);
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
  for (int i = 0; i < parent.num_fields(); ++i) {
    const std::string& name = parent.type()->field(i)->name();
    const std::string path = FormatFieldPath({field.name, name});
    const auto columns = file.FindColumns({&path, 1});
    if (!columns.ok()) {
      RequireNoneOrRefusal(columns.status());
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(
        const auto alone,
        OnlyColumn(file.ReadRange(*columns, {.begin = 0, .end = whole->length()}, context),
                   (*columns)[0].field, whole->length()));
    const auto& one = static_cast<const arrow::StructArray&>(*alone);
    // The name may be that of another child before it, or the struct a blob.
    if (one.type_id() != arrow::Type::STRUCT || one.num_fields() != 1 ||
        parent.type()->field(i) != parent.struct_type()->GetFieldByName(name)) {
      continue;
    }
    for (int64_t row = 0; row < whole->length(); ++row) {
      Require(parent.IsNull(row) == one.IsNull(row), "a struct's nulls are in each child's column");
    }
    const auto expected = parent.Flatten();
    const auto child = one.Flatten();
    Require(expected.ok() && child.ok() && (*expected)[i]->Equals((*child)[0], options),
            "a child that is read alone is that of the whole");
  }
  return Status::OK();
}

/// Values that come as codes are those that come as they are.
void CheckCodes(const FileReader& file, std::span<const FileReader::Column> columns,
                const arrow::Array& whole, const OperationContext& context) {
  const auto batch = file.ReadCodes(columns, {.begin = 0, .end = whole.length()}, context);
  if (!batch.ok()) {
    if (GetErrorCode(batch.status()) != ErrorCode::kOutOfBudget) {
      Require(batch.status(), "what is read as values can be read as codes");
    }
    return;
  }
  const auto& codes = *(*batch)->column(0);
  Require(codes.Validate(), "codes are an array");
  const auto declared = ToArrowField(columns[0].field);
  Require(declared.status(), "what is read has a type");
  if (codes.type()->Equals((*declared)->type())) return;
  Require(codes.type_id() == arrow::Type::DICTIONARY, "codes are a dictionary array");
  const auto& coded = static_cast<const arrow::DictionaryArray&>(codes);
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
  for (int64_t row = 0; row < whole.length(); ++row) {
    Require(coded.IsNull(row) == whole.IsNull(row), "codes are null where values are");
    if (coded.IsNull(row)) continue;
    const int64_t item = coded.GetValueIndex(row);
    Require(item >= 0 && item < coded.dictionary()->length(), "a code is inside of its dictionary");
    Require(coded.dictionary()->RangeEquals(whole, item, item + 1, row, options),
            "a code stands for the value");
  }
}

/// Pages that are listed to be copied can be listed again by the copy.
void CheckStoredPages(const io::StorePath& place, int64_t file_size,
                      const OperationContext& context) {
  for (const uint16_t minor_version : {1, 2}) {
    const auto file = StoredFile::Read(place, minor_version, std::nullopt, context);
    if (!file.ok()) {
      RequireRefusal(file.status());
      continue;
    }
    for (const StoredColumn& column : file->columns) {
      const auto again = StoredColumn::Parse(column.Serialize(), file_size);
      Require(again.status(), "what was listed can be listed again");
      Require(again->pages.size() == column.pages.size() && again->num_rows() == column.num_rows(),
              "a copy lists the same pages");
    }
  }
}

Status CheckField(const FileReader& file, const Field& field, bool is_sound,
                  const OperationContext& context) {
  const std::string path = FormatFieldPath({field.name});
  const auto columns = file.FindColumns({&path, 1});
  if (!columns.ok()) {
    RequireNoneOrRefusal(columns.status());
    return columns.status();
  }
  const Field& declared = (*columns)[0].field;
  const int64_t end = std::min(file.num_rows(), kMaxRows);
  ARROW_ASSIGN_OR_RAISE(
      const auto whole,
      OnlyColumn(file.ReadRange(*columns, {.begin = 0, .end = end}, context), declared, end));
  if (end == 0) return Status::OK();
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true);

  const RowRange rows{.begin = end / 3, .end = end - end / 4};
  const auto range = OnlyColumn(file.ReadRange(*columns, rows, context), declared, rows.length());
  const std::vector<int64_t> numbers = {end - 1, 0, end / 2, end / 2, end / 3};
  const auto taken = OnlyColumn(file.Take(*columns, numbers, context), declared,
                                static_cast<int64_t>(numbers.size()));
  CheckCodes(file, *columns, *whole, context);
  // The limit on memory may hit any of them.
  for (const auto& part : {range, taken}) {
    if (part.ok()) continue;
    if (GetErrorCode(part.status()) != ErrorCode::kOutOfBudget) {
      Require(part.status(), "what is read whole can be read in part");
    }
    return part.status();
  }
  Require(whole->RangeEquals(**range, rows.begin, rows.end, 0, options),
          "a range is a slice of the whole");
  for (size_t i = 0; i < numbers.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    Require(whole->RangeEquals(**taken, numbers[i], numbers[i] + 1, at, options),
            "rows that are taken are those of the whole");
  }
  if (is_sound && whole->type_id() == arrow::Type::STRUCT) {
    return CheckChildren(file, field, whole, context);
  }
  return Status::OK();
}

}  // namespace

Status CheckFile(std::string_view bytes, bool is_sound) {
  BoundedPool pool(kFileMemory);
  const auto executor = MakeExecutor(1);
  OperationContext context;
  context.pool = &pool;
  context.executor = executor.get();
  const auto store = io::MakeMemoryStore();
  Require(store->Put("x", bytes, context), "any bytes can be stored");
  const auto description = DescribeFile({.store = store, .path = "x"}, context);
  if (!description.ok()) RequireRefusal(description.status());
  CheckStoredPages({.store = store, .path = "x"}, std::ssize(bytes), context);
  const auto file = FileReader::Open(store.get(), "x", context);
  if (!file.ok()) {
    RequireRefusal(file.status());
    return file.status();
  }
  Status first;
  for (const Field& field : (*file)->schema().fields) {
    const Status status = CheckField(**file, field, is_sound, context);
    if (first.ok()) first = status;
  }
  return first;
}

std::string AssembleFile(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  std::string file;
  const auto append_buffer = [&](std::string_view bytes) {
    file.resize(RoundUp(file.size(), kBufferAlignment), 'H');
    const uint64_t at = file.size();
    file.append(bytes);
    return at;
  };
  const uint8_t version = input.Read<uint8_t>() % 3;
  const std::string descriptor(AsText(input.TakeSized()));
  std::vector<std::string> columns;
  do {
    proto::ColumnMetadata column;
    const auto num_pages = input.Read<uint8_t>();
    for (int p = 0; p < num_pages; ++p) {
      proto::ColumnMetadata::Page* page = column.add_pages();
      page->set_length(input.Read<uint32_t>());
      proto::TypedMessage layout;
      layout.set_type_url(version == 2 ? "/lance.encodings.ArrayEncoding"
                                       : "/lance.encodings21.PageLayout");
      layout.set_value(std::string(AsText(input.TakeSized())));
      page->mutable_encoding()->mutable_direct()->set_encoding(layout.SerializeAsString());
      const auto num_buffers = input.Read<uint8_t>();
      for (int b = 0; b < num_buffers; ++b) {
        const auto bytes = input.TakeSized();
        page->add_buffer_offsets(append_buffer(AsText(bytes)));
        page->add_buffer_sizes(bytes.size());
      }
      if (input.left() == 0) break;
    }
    columns.push_back(column.SerializeAsString());
  } while (input.left() > 0);

  Footer footer;
  const uint64_t descriptor_at = append_buffer(descriptor);
  footer.column_metadata = file.size();
  std::string column_table;
  for (const std::string& column : columns) {
    AppendLittle<uint64_t>(file.size(), &column_table);
    AppendLittle<uint64_t>(column.size(), &column_table);
    file += column;
  }
  footer.column_table = file.size();
  file += column_table;
  footer.buffer_table = file.size();
  AppendLittle<uint64_t>(descriptor_at, &file);
  AppendLittle<uint64_t>(descriptor.size(), &file);
  footer.num_buffers = 1;
  footer.num_columns = static_cast<uint32_t>(columns.size());
  footer.major = version == 2 ? 0 : 2;
  footer.minor = version == 2 ? 3 : static_cast<uint16_t>(2 - version);
  footer.AppendTo(&file);
  return file;
}

int CheckAssembledFile(uint8_t layout, const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  input.Read<uint8_t>();
  input.TakeSized();
  input.Read<uint8_t>();
  input.Read<uint32_t>();
  const auto description = input.TakeSized();
  if (description.empty() || description[0] != layout) return -1;
  static_cast<void>(CheckFile(AssembleFile(data, size)));
  return 0;
}

}  // namespace tusk::lance
