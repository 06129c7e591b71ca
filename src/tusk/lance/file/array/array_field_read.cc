#include "tusk/lance/file/array/array_field_read.h"

#include <string>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/type.h>

#include "tusk/lance/file/array/column_read.h"
#include "tusk/lance/file/array/end_offsets.h"
#include "tusk/lance/file/array/field_reads.h"
#include "tusk/lance/file/physical_column.h"

namespace tusk::lance {
namespace {

using Columns = std::span<const ArrayColumn* const>;

constexpr uint16_t kMinorVersion = 0;

/// A read of a field that another has, with the rows of the request's runs one after the other.
Result<std::unique_ptr<FieldRead>> MakePartRead(const Field& field, Columns columns,
                                                ArrayRequest request);

Status CheckEncoding(const ArrayColumn& column, ArrayEncoding::Kind kind) {
  for (const ArrayColumn::Page& page : column.pages) {
    if (page.encoding.kind == kind) continue;
    ArrayEncoding expected;
    expected.kind = kind;
    return AtPage(Corrupt("has encoding ", page.encoding.name(), ", not ", expected.name()), page);
  }
  return Status::OK();
}

/// A struct that owns a column without bytes; its fields have theirs.
class StructRead final : public FieldRead {
 public:
  static Result<std::unique_ptr<FieldRead>> Make(const Field& field, Columns columns,
                                                 ArrayRequest request) {
    const arrow::DataType& type = request.storage();
    if (static_cast<size_t>(type.num_fields()) != field.children.size()) {
      return Corrupt("struct of ", field.children.size(), " fields is no ",
                     request.type->ToString());
    }
    const ArrayColumn& header = *columns[0];
    ARROW_RETURN_NOT_OK(CheckEncoding(header, ArrayEncoding::Kind::kStruct));
    if (!request.runs.empty() && request.runs.back().end > header.num_rows) {
      return Corrupt("row ", request.runs.back().end - 1, " is asked of a struct that has ",
                     header.num_rows);
    }
    auto read = std::make_unique<StructRead>();
    columns = columns.subspan(1);
    for (size_t i = 0; i < field.children.size(); ++i) {
      const Field& child = field.children[i];
      const auto count = static_cast<size_t>(CountPhysicalColumns(child, kMinorVersion));
      if (columns[0]->num_rows != header.num_rows) {
        return Corrupt("struct of ", header.num_rows, " rows whose field '", child.name, "' has ",
                       columns[0]->num_rows);
      }
      ArrayRequest of_child = {.runs = request.runs,
                               .type = type.field(static_cast<int>(i))->type(),
                               .pool = request.pool};
      ARROW_ASSIGN_OR_RAISE(auto part,
                            MakePartRead(child, columns.first(count), std::move(of_child)));
      read->fields_.Add(std::move(part));
      columns = columns.subspan(count);
    }
    read->request_ = std::move(request);
    return read;
  }

  Status Plan(std::vector<io::ByteRange>* ranges) override { return fields_.Plan(ranges); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return fields_.Accept(bytes);
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    std::vector<std::shared_ptr<arrow::ArrayData>> children;
    for (size_t i = 0; i < fields_.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(auto child, fields_.Finish(i));
      children.push_back(std::move(child));
    }
    return arrow::ArrayData::Make(request_.type, request_.num_values(), {nullptr},
                                  std::move(children), 0);
  }

 private:
  ArrayRequest request_;
  FieldReads fields_;
};

/// A list that owns a column of end offsets; its items have theirs.
class ListRead final : public FieldRead {
 public:
  static Result<std::unique_ptr<FieldRead>> Make(const Field& field, Columns columns,
                                                 ArrayRequest request) {
    const arrow::Type::type type = request.storage().id();
    if (type != arrow::Type::LIST && type != arrow::Type::LARGE_LIST) {
      return Unsupported("type ", request.type->ToString(), " is not one of data version 2.0");
    }
    ARROW_RETURN_NOT_OK(CheckEncoding(*columns[0], ArrayEncoding::Kind::kList));
    if (columns[0]->num_items > columns[1]->num_rows) {
      return Corrupt("lists of ", columns[0]->num_items, " items, of which there are ",
                     columns[1]->num_rows);
    }
    auto read = std::make_unique<ListRead>();
    ARROW_ASSIGN_OR_RAISE(auto parts, SplitByPage(*columns[0], request.runs));
    for (PageRuns& part : parts) {
      ArrayRequest ends = {
          .runs = EndOffsets::Needed(part.runs), .type = arrow::uint64(), .pool = request.pool};
      auto page = MakeArrayRead(part.page->encoding.children[0], std::move(ends));
      if (!page.ok()) return AtPage(page.status(), *part.page);
      read->ends_.Add(*std::move(page));
    }
    read->parts_ = std::move(parts);
    read->item_field_ = field.children[0];
    read->item_columns_.assign(columns.begin() + 1, columns.end());
    read->request_ = std::move(request);
    return read;
  }

  Status Plan(std::vector<io::ByteRange>* ranges) override {
    if (items_ == nullptr) {
      const size_t before = ranges->size();
      ARROW_RETURN_NOT_OK(ends_.Plan(ranges));
      if (ranges->size() > before) return Status::OK();
      ARROW_RETURN_NOT_OK(StartItems());
    }
    return items_->Plan(ranges);
  }

  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return items_ == nullptr ? ends_.Accept(bytes) : items_->Accept(bytes);
  }

  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(auto items, items_->Finish());
    result_->child_data.push_back(std::move(items));
    return std::move(result_);
  }

 private:
  Status StartItems() {
    const bool is_wide = request_.storage().id() == arrow::Type::LARGE_LIST;
    ARROW_ASSIGN_OR_RAISE(EndOffsets offsets,
                          EndOffsets::Make(request_.num_values(), is_wide, request_.pool));
    for (size_t i = 0; i < parts_.size(); ++i) {
      const ArrayColumn::Page& page = *parts_[i].page;
      const Status status = AddPage(i, page, &offsets);
      if (!status.ok()) return AtPage(status, page);
    }
    ArrayRequest items = {.runs = offsets.items(),
                          .type = request_.storage().field(0)->type(),
                          .pool = request_.pool};
    ARROW_ASSIGN_OR_RAISE(items_, MakePartRead(item_field_, item_columns_, std::move(items)));
    result_ = offsets.Finish(request_.type);
    return Status::OK();
  }

  Status AddPage(size_t i, const ArrayColumn::Page& page, EndOffsets* offsets) {
    ARROW_ASSIGN_OR_RAISE(const auto ends, ends_.Finish(i));
    if (ends->null_count != 0) return Corrupt("end offsets of lists are null");
    return offsets->Add({ends->GetValues<uint64_t>(1), static_cast<size_t>(ends->length)},
                        parts_[i].runs,
                        {.null_adjustment = page.encoding.null_adjustment,
                         .num_items = page.encoding.count,
                         .first_item = page.first_item});
  }

  ArrayRequest request_;
  std::vector<PageRuns> parts_;
  FieldReads ends_;  ///< of each part
  Field item_field_;
  std::vector<const ArrayColumn*> item_columns_;
  std::unique_ptr<FieldRead> items_;  ///< null until the ends are known
  std::shared_ptr<arrow::ArrayData> result_;
};

/// A read of a field or a part of one, whose errors say which.
class PartRead final : public FieldRead {
 public:
  PartRead(std::string where, std::unique_ptr<FieldRead> read)
      : where_(std::move(where)), read_(std::move(read)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override { return Here(read_->Plan(ranges)); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return Here(read_->Accept(bytes));
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    auto array = read_->Finish();
    return array.ok() ? array : Here(array.status());
  }

 private:
  Status Here(const Status& status) const {
    return status.ok() ? status : WithContext(status, where_);
  }

  std::string where_;
  std::unique_ptr<FieldRead> read_;
};

Result<std::unique_ptr<FieldRead>> MakeRead(const Field& field, Columns columns,
                                            ArrayRequest request) {
  switch (PhysicalColumns(field, kMinorVersion)[0].kind) {
    case ColumnKind::kBlob:
      if (!columns[0]->is_blob) return Corrupt("blobs in a column of plain values");
      return request.storage().id() == arrow::Type::STRUCT
                 ? MakeColumnRead(*columns[0], std::move(request))
                 : MakeBlobRead(*columns[0], std::move(request));
    case ColumnKind::kStruct:
      return StructRead::Make(field, columns, std::move(request));
    case ColumnKind::kListOffsets:
      return ListRead::Make(field, columns, std::move(request));
    case ColumnKind::kValues:
    case ColumnKind::kPackedStruct:
      break;
  }
  if (columns[0]->is_blob) return Corrupt("plain values in a column of blobs");
  return MakeColumnRead(*columns[0], std::move(request));
}

Result<std::unique_ptr<FieldRead>> MakePartRead(const Field& field, Columns columns,
                                                ArrayRequest request) {
  std::string where = "field '" + field.name + "'";
  auto read = MakeRead(field, columns, std::move(request));
  if (!read.ok()) return WithContext(read.status(), where);
  return std::make_unique<PartRead>(std::move(where), *std::move(read));
}

/// The read of a whole field: rows as they were asked for.
class ArrayFieldRead final : public FieldRead {
 public:
  ArrayFieldRead(const RowsToRead& rows, arrow::MemoryPool* pool, std::unique_ptr<FieldRead> read)
      : rows_(rows), pool_(pool), read_(std::move(read)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override { return read_->Plan(ranges); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return read_->Accept(bytes);
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(auto array, read_->Finish());
    read_ = nullptr;
    return rows_.InOrderAsked(std::move(array), pool_);
  }

 private:
  RowsToRead rows_;
  arrow::MemoryPool* pool_;
  std::unique_ptr<FieldRead> read_;
};

}  // namespace

Result<std::unique_ptr<FieldRead>> MakeArrayFieldRead(const Field& field, Columns columns,
                                                      const RowsToRead& rows,
                                                      const ReadSource& source,
                                                      arrow::MemoryPool* pool) {
  std::string where = *source.path + ": column '" + field.name + "'";
  const auto make = [&]() -> Result<std::unique_ptr<FieldRead>> {
    const int64_t count = CountPhysicalColumns(field, kMinorVersion);
    if (std::ssize(columns) != count) {
      return Corrupt("has ", count, " columns by its type and ", columns.size(), " in the file");
    }
    if (columns[0]->num_rows != source.num_rows) {
      return Corrupt("has ", columns[0]->num_rows, " rows in a file of ", source.num_rows);
    }
    ARROW_ASSIGN_OR_RAISE(const auto arrow_field, ToArrowField(field));
    return MakeRead(field, columns,
                    {.runs = rows.Runs(), .type = arrow_field->type(), .pool = pool});
  };
  auto read = make();
  if (!read.ok()) return WithContext(read.status(), where);
  auto whole = std::make_unique<PartRead>(std::move(where), *std::move(read));
  return std::make_unique<ArrayFieldRead>(rows, pool, std::move(whole));
}

}  // namespace tusk::lance
