#include "tusk/lance/file/leaf_read.h"

#include <algorithm>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include "tusk/lance/encodings/column_output.h"

namespace tusk::lance {

using io::ByteRange;

namespace {

/// Values are given as codes if there are at least so many rows for each item, and not more items.
constexpr int64_t kRowsPerItem = 4;
constexpr int64_t kMostItems = 1 << 16;

}  // namespace

LeafRead::LeafRead(const ColumnPages* pages, Options options, const RowsToRead& rows,
                   arrow::MemoryPool* pool)
    : pages_(pages),
      options_(std::move(options)),
      pool_(pool),
      num_rows_(rows.num_rows()),
      keeps_structure_(options_.keeps_structure || options_.is_list.size() > 1),
      output_(options_.shape, num_rows_, pool) {
  if (keeps_structure_) {
    structure_.emplace(options_.is_list, pool);
    num_rows_ = 0;
    for (RowRange run : rows.Runs(options_.scale)) {
      num_rows_ += run.length();
      while (run.length() > 0) {
        const ColumnPages::Entry& entry = pages_->Find(run.begin);
        const int64_t end = std::min(run.end, entry.first_row + entry.num_rows);
        AddRun(entry, {.begin = run.begin - entry.first_row, .end = end - entry.first_row});
        run.begin = end;
      }
    }
    return;
  }
  if (!rows.is_take()) {
    for (int64_t row = rows.range.begin; row < rows.range.end;) {
      const ColumnPages::Entry& entry = pages_->Find(row);
      const int64_t end = std::min(rows.range.end, entry.first_row + entry.num_rows);
      PageRequest request;
      request.rows = {.begin = row - entry.first_row, .end = end - entry.first_row};
      request.position = row - rows.range.begin;
      AddPart(entry, request);
      row = end;
    }
    return;
  }
  for (size_t begin = 0; begin < rows.taken.size();) {
    const ColumnPages::Entry& entry = pages_->Find(rows.taken[begin].row);
    const auto rest = rows.taken.subspan(begin);
    const auto after =
        std::ranges::lower_bound(rest, entry.first_row + entry.num_rows, {}, &TakenRow::row);
    PageRequest request;
    request.taken = rest.first(after - rest.begin());
    begin += request.taken.size();
    AddPart(entry, request);
  }
}
LeafRead::LeafRead(LeafRead&&) noexcept = default;
LeafRead::~LeafRead() = default;

void LeafRead::AddPart(const ColumnPages::Entry& entry, PageRequest request) {
  Part part;
  part.entry = &entry;
  part.request = request;
  part.request.first_row = part.entry->first_row;
  parts_.push_back(std::move(part));
}

void LeafRead::AddRun(const ColumnPages::Entry& entry, RowRange run) {
  if (parts_.empty() || parts_.back().entry != &entry) AddPart(entry, {});
  parts_.back().runs.push_back(run);
}

Status LeafRead::InPage(const Part& part, const Status& status) {
  if (status.ok()) return status;
  std::string where = "page " + std::to_string(part.entry->number);
  if (!part.reads.empty()) where += " at " + std::to_string(part.reads[0].bytes.offset);
  return WithContext(status, where);
}

bool LeafRead::IsBare(const Page& page) const {
  const std::vector<bool>& is_list = options_.is_list;
  return options_.shape.is_nothing() && page.meaning().num_layers() == 1 && is_list.size() > 1 &&
         !page.meaning().IsListLayer(0) && std::ranges::find(is_list, true) == is_list.end();
}

Status LeafRead::CheckPage(const Page& page) const {
  ARROW_RETURN_NOT_OK(page.CheckShape(options_.shape));
  if (keeps_structure_ && IsBare(page)) return Status::OK();
  if (keeps_structure_) return structure_->CheckMeaning(page.meaning());
  if (page.meaning().num_layers() == 1 && !page.meaning().IsListLayer(0)) return Status::OK();
  return Corrupt("page of ", page.meaning().num_layers(), " layers with ",
                 page.meaning().max_repetition(), " lists, in a column with neither");
}

Status LeafRead::Plan(std::vector<ByteRange>* ranges) {
  if (step_ == Step::kIndices) {
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (parts_[i].entry->index.get() != nullptr) continue;
      const std::vector<ByteRange> pieces = parts_[i].entry->page->index_ranges();
      if (pieces.empty()) continue;
      ranges->insert(ranges->end(), pieces.begin(), pieces.end());
      waiting_.push_back(i);
    }
    if (!waiting_.empty()) return Status::OK();
    step_ = Step::kPages;
  }
  if (step_ == Step::kPages) {
    const size_t before = ranges->size();
    ARROW_RETURN_NOT_OK(PlanPages(ranges));
    if (ranges->size() == before) step_ = Step::kDone;
  }
  return Status::OK();
}

Status LeafRead::PlanTexts() {
  if (keeps_structure_ || !options_.shape.is_variable || parts_.empty()) return Status::OK();
  std::vector<PlacedTexts::Part> parts;
  for (const Part& part : parts_) {
    if (!part.request.is_take()) return Status::OK();
    const auto find = [&]() -> Result<std::optional<StoredTexts>> {
      ARROW_RETURN_NOT_OK(CheckPage(*part.entry->page));
      return part.entry->page->FindStoredTexts(part.entry->index.get(), part.request);
    };
    auto stored = find();
    if (!stored.ok()) return InPage(part, stored.status());
    if (!*stored) return Status::OK();
    parts.push_back(
        {.page = part.entry->page.get(), .request = part.request, .stored = **std::move(stored)});
  }
  return PlacedTexts::Plan(std::move(parts), &output_, &targets_).Value(&texts_);
}

Status LeafRead::PlanPages(std::vector<ByteRange>* ranges) {
  ARROW_RETURN_NOT_OK(PlanTexts());
  if (texts_) return Status::OK();
  for (Part& part : parts_) {
    const Page& page = *part.entry->page;
    const auto plan = [&]() -> Status {
      ARROW_RETURN_NOT_OK(CheckPage(page));
      const PageIndex* index = part.entry->index.get();
      if (keeps_structure_) return page.PlanRuns(index, part.runs, &part.reads);
      ARROW_ASSIGN_OR_RAISE(part.placed, PlacedRows::Plan(page, part.request, &output_, &targets_));
      if (part.placed) return Status::OK();
      return page.Plan(index, part.request, &part.reads);
    };
    ARROW_RETURN_NOT_OK(InPage(part, plan()));
    for (const PlannedRead& read : part.reads) ranges->push_back(read.bytes);
  }
  return Status::OK();
}

void LeafRead::PlanTargets(std::vector<io::ReadTarget>* targets) {
  targets->insert(targets->end(), targets_.begin(), targets_.end());
  targets_.clear();
}

Status LeafRead::Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) {
  if (step_ == Step::kIndices) {
    step_ = Step::kPages;
    return AcceptIndices(bytes);
  }
  step_ = Step::kDone;
  for (Part& part : parts_) {
    const auto mine = bytes.first(part.reads.size());
    part.bytes.assign(mine.begin(), mine.end());
    bytes = bytes.subspan(mine.size());
  }
  return Status::OK();
}

Status LeafRead::AcceptIndices(std::span<const std::shared_ptr<arrow::Buffer>> bytes) {
  for (const size_t i : waiting_) {
    const Page& page = *parts_[i].entry->page;
    const size_t count = page.index_ranges().size();
    auto index = page.ParseIndex(bytes.first(count), pool_);
    if (!index.ok()) return WithContext(InPage(parts_[i], index.status()), "index");
    parts_[i].entry->index.Set(*std::move(index));
    bytes = bytes.subspan(count);
  }
  waiting_.clear();
  return Status::OK();
}

std::optional<int64_t> LeafRead::CountItems() const {
  const bool is_plain = !options_.shape.is_nothing() && options_.shape.list_sizes.empty() &&
                        options_.shape.packed_fields.empty();
  if (!options_.may_be_codes || keeps_structure_ || !is_plain) return std::nullopt;
  // Beyond this, what is done once for each item is too much beside what is done for each row.
  const int64_t most = std::min<int64_t>(num_rows_ / kRowsPerItem, kMostItems);
  int64_t count = 0;
  for (const Part& part : parts_) {
    const auto items = part.request.is_take() ? std::nullopt : part.entry->page->num_items();
    if (!items || *items > most - count) return std::nullopt;
    count += *items;
  }
  return count;
}

Result<std::shared_ptr<arrow::ArrayData>> LeafRead::FinishCodes(
    int64_t num_items, const std::shared_ptr<arrow::DataType>& type) const {
  ColumnOutput items(options_.shape, num_items, pool_);
  ValueShape code_shape;
  code_shape.bits = 32;
  ColumnOutput codes(std::move(code_shape), num_rows_, pool_);
  int64_t first = 0;
  for (const Part& part : parts_) {
    const Page& page = *part.entry->page;
    const PageIndex* index = part.entry->index.get();
    PageRequest request = part.request;
    request.first_code = static_cast<int32_t>(first);
    ARROW_RETURN_NOT_OK(InPage(part, page.DecodeItems(index, first, &items)));
    ARROW_RETURN_NOT_OK(
        InPage(part, page.DecodeCodes(index, request, part.reads, part.bytes, &codes)));
    first += *page.num_items();
  }
  ARROW_ASSIGN_OR_RAISE(auto dictionary, items.Finish(type));
  ARROW_ASSIGN_OR_RAISE(auto result, codes.Finish(arrow::int32()));
  result->type = arrow::dictionary(arrow::int32(), type);
  result->dictionary = std::move(dictionary);
  return result;
}

Result<std::shared_ptr<arrow::ArrayData>> LeafRead::Finish(
    const std::shared_ptr<arrow::DataType>& type) {
  if (const auto num_items = CountItems()) return FinishCodes(*num_items, type);
  if (!keeps_structure_) {
    for (size_t i = 0; i < parts_.size(); ++i) {
      const Part& part = parts_[i];
      const auto decode = [&]() -> Status {
        if (texts_) return texts_->Finish(i, &output_);
        if (part.placed) return part.placed->Finish(&output_);
        return part.entry->page->Decode(part.entry->index.get(), part.request, part.reads,
                                        part.bytes, &output_);
      };
      ARROW_RETURN_NOT_OK(InPage(part, decode()));
    }
    return output_.Finish(type);
  }
  std::vector<std::unique_ptr<const PendingValues>> values;
  for (const Part& part : parts_) {
    const Page& page = *part.entry->page;
    Structure bare({false}, pool_);
    const bool is_bare = IsBare(page);
    auto pending = page.Unravel(part.entry->index.get(), part.runs, part.reads, part.bytes, pool_,
                                is_bare ? &bare : &*structure_);
    if (!pending.ok()) return InPage(part, pending.status());
    if (is_bare) ARROW_RETURN_NOT_OK(structure_->AppendValid(bare.num_rows()));
    values.push_back(*std::move(pending));
  }
  if (structure_->num_rows() != num_rows_) {
    return Corrupt("levels make ", structure_->num_rows(), " rows, not ", num_rows_);
  }
  ColumnOutput output(options_.shape, structure_->num_slots(), pool_);
  int64_t position = 0;
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (position + values[i]->num_slots() > output.num_rows()) {
      return Corrupt("levels have more values than rows tell of");
    }
    ARROW_RETURN_NOT_OK(InPage(parts_[i], values[i]->DecodeInto(position, &output)));
    position += values[i]->num_slots();
  }
  if (position != output.num_rows()) {
    return Corrupt("levels tell of ", output.num_rows(), " values where there are ", position);
  }
  return output.Finish(type);
}

}  // namespace tusk::lance
