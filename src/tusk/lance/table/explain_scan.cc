#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/dataset.h"
#include "tusk/lance/file/file_cache.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/field_parts.h"
#include "tusk/lance/table/order_keys.h"
#include "tusk/lance/table/scan_plan.h"

namespace tusk::lance {
namespace {

/// What an analyzed scan has done.
struct Done {
  ScanStatistics scan;
  IoCounters io;
  int64_t rows = 0;
  int64_t batches = 0;
  int64_t found_open = 0;   ///< of the files that it reads from
  int64_t nanoseconds = 0;  ///< from the call to its end
};

/// What the order calls the columns that it alone reads.
using KeyNames = std::map<std::string, std::string>;

std::string Names(const arrow::Schema& schema, const KeyNames& keys = {}) {
  if (schema.num_fields() == 0) return "no column";
  std::string names;
  for (const auto& field : schema.fields()) {
    if (!names.empty()) names += ", ";
    const auto key = keys.find(field->name());
    names += key == keys.end() ? field->name() : key->second;
  }
  return names;
}

std::string Milliseconds(int64_t nanoseconds) {
  std::ostringstream text;
  text.precision(3);
  text << static_cast<double>(nanoseconds) / 1e6 << " ms";
  return text.str();
}

std::string OrderText(const std::vector<Ordering>& order) {
  std::string text;
  for (const Ordering& by : order) {
    text += (text.empty() ? "" : ", ") + by.column + (by.ascending ? " ascending" : " descending") +
            (by.nulls_first ? " with nulls first" : "");
  }
  return text;
}

/// The steps of a scan, the last one first and each below the one that takes what it gives.
class Steps {
 public:
  void Add(const std::string& what, const std::string& done = {}) {
    text_ +=
        std::string(depth_++ * 2, ' ') + what + (done.empty() ? "" : "  [" + done + "]") + "\n";
  }
  std::string Finish() { return std::move(text_); }

 private:
  std::string text_;
  size_t depth_ = 0;
};

/// Whether the file has something of what is read.
Result<bool> HasColumns(const DataFile& file, const Projection& projection) {
  for (const Projection::Source& source : projection.sources) {
    ARROW_ASSIGN_OR_RAISE(const auto part, FindPart(source.field, source.whole, file));
    if (part) return true;
  }
  return false;
}

/// Where the files are that the scan reads from.
Result<std::vector<std::string>> FindFiles(const ScanPlan& plan) {
  std::vector<std::string> paths;
  for (const Fragment* fragment : plan.fragments) {
    for (const DataFile& file : fragment->files) {
      ARROW_ASSIGN_OR_RAISE(bool is_read, HasColumns(file, *plan.output));
      if (!is_read && plan.test != nullptr) {
        ARROW_ASSIGN_OR_RAISE(is_read, HasColumns(file, *plan.test_columns));
      }
      if (!is_read) continue;
      ARROW_ASSIGN_OR_RAISE(io::StorePath place, plan.dataset->Locate(*fragment, file));
      paths.push_back(std::move(place.path));
    }
  }
  return paths;
}

/// How many of the files the table has open, so that what they say of themselves is in memory.
int64_t CountOpen(const ScanPlan& plan, std::span<const std::string> paths) {
  return std::ranges::count_if(
      paths, [&](const std::string& path) { return plan.dataset->files->Holds(path); });
}

Result<std::string> TableText(const ScanPlan& plan) {
  ARROW_ASSIGN_OR_RAISE(const auto read, FindFiles(plan));
  int64_t files = 0;
  for (const Fragment* fragment : plan.fragments) files += std::ssize(fragment->files);
  std::ostringstream text;
  text << "Table: " << plan.dataset->location.path << " version " << plan.dataset->manifest.version
       << ", " << plan.fragments.size() << " of " << plan.dataset->manifest.fragments.size()
       << " fragments, " << read.size() << " of " << files << " data files, " << plan.num_rows()
       << " rows" << (plan.include_deleted ? " with the deleted ones" : "");
  return text.str();
}

std::string RowsText(int64_t count) { return std::to_string(count) + " rows"; }

/// Adds the steps that read rows and judge them. `given` is what the last of them gives.
void AddReading(const ScanPlan& plan, const expr::Filter* filter, const KeyNames& keys,
                std::string given, const Done* done, Steps* steps) {
  const auto also = [&](const std::string& text) { given += (given.empty() ? "" : ", ") + text; };
  if (plan.test == nullptr) {
    if (done != nullptr) {
      also(RowsText(done->scan.rows) + " read, " + Milliseconds(done->scan.read_ns));
    }
    steps->Add("Read: " + Names(*plan.output->schema, keys), given);
    return;
  }
  if (!plan.rest->columns.empty()) {
    if (done != nullptr) also(Milliseconds(done->scan.read_ns));
    steps->Add("Take: " + Names(*plan.rest->schema, keys) + " of the rows that the filter keeps",
               std::exchange(given, ""));
  }
  std::string read;
  if (done != nullptr) {
    also(RowsText(done->scan.rows_kept) + " of " + std::to_string(done->scan.rows) + " kept, " +
         Milliseconds(done->scan.filter_ns));
    read = RowsText(done->scan.rows) + " in " + std::to_string(done->scan.pieces) + " pieces, " +
           RowsText(done->scan.rows_ruled_out) + " ruled out, " +
           Milliseconds(done->scan.filter_read_ns);
  }
  steps->Add("Filter: " + filter->ToString(), given);
  steps->Add("Read: " + Names(*plan.test_columns->schema, keys) +
                 (plan.use_statistics ? ", but for pages that bounds rule out" : ""),
             read);
}

/// `done` is null if nothing was.
Result<std::string> Explain(const ScanPlan& plan, const ScanOptions& options, const Done* done,
                            const OperationContext& context) {
  Steps steps;
  std::string given;
  if (done != nullptr) {
    given = RowsText(done->rows) + " in " + std::to_string(done->batches) + " batches";
  }
  KeyNames keys;
  std::optional<ScanPlan> unordered;
  if (!options.order_by.empty()) {
    const OrderedScan ordered = PlanOrderedScan(plan, options);
    for (size_t i = 0; i < options.order_by.size(); ++i) {
      keys[ordered.order.by[i].column] = options.order_by[i].column;
    }
    ARROW_ASSIGN_OR_RAISE(unordered, ScanPlan::Make(plan.dataset, ordered.rows, context));
    if (ordered.takes_rest) {
      steps.Add("Take: " + Names(*plan.output->schema) + " of the rows that are given",
                std::exchange(given, ""));
    }
  }
  if (options.limit || options.offset > 0) {
    steps.Add("Limit: " + (options.limit ? RowsText(*options.limit) : "all rows") + " after " +
                  RowsText(options.offset),
              std::exchange(given, ""));
  }
  if (unordered) steps.Add("Sort: " + OrderText(options.order_by), std::exchange(given, ""));
  AddReading(unordered ? *unordered : plan, options.filter.get(), keys, std::move(given), done,
             &steps);
  std::string io;
  if (done != nullptr) {
    io = std::to_string(done->scan.fragments) + " fragments, " +
         std::to_string(done->io.read_requests) + " requests, " +
         std::to_string(done->io.read_bytes) + " bytes, " + std::to_string(done->found_open) +
         " files found open, " + Milliseconds(done->nanoseconds) + " in all";
  }
  ARROW_ASSIGN_OR_RAISE(const std::string table, TableText(plan));
  steps.Add(table, io);
  return steps.Finish();
}

void AddTo(const IoCounters& from, IoCounters* to) {
  if (to == nullptr) return;
  to->read_requests += from.read_requests;
  to->read_bytes += from.read_bytes;
  to->list_requests += from.list_requests;
  to->head_requests += from.head_requests;
}

}  // namespace

Result<std::string> Dataset::ExplainScan(const ScanOptions& options,
                                         const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(const ScanPlan plan, ScanPlan::Make(state_, options, context));
  return Explain(plan, options, nullptr, context);
}

Result<std::string> Dataset::AnalyzeScan(const ScanOptions& options,
                                         const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(const ScanPlan plan, ScanPlan::Make(state_, options, context));
  const auto begin = std::chrono::steady_clock::now();
  const auto done = std::make_shared<Done>();
  ARROW_ASSIGN_OR_RAISE(const auto files, FindFiles(plan));
  done->found_open = CountOpen(plan, files);
  ScanOptions counted = options;
  counted.statistics = {done, &done->scan};
  OperationContext own = context;
  own.io = &done->io;
  {
    ARROW_ASSIGN_OR_RAISE(const auto reader, Scan(counted, own));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
      if (batch == nullptr) break;
      done->rows += batch->num_rows();
      ++done->batches;
    }
  }
  done->nanoseconds = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
  AddTo(done->io, context.io);
  return Explain(plan, options, done.get(), context);
}

}  // namespace tusk::lance
