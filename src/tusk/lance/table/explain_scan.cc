#include <cstdint>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/dataset.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/scan_plan.h"

namespace tusk::lance {
namespace {

/// What an analyzed scan has done.
struct Done {
  ScanStatistics scan;
  IoCounters io;
  int64_t rows = 0;
  int64_t batches = 0;
};

std::string Names(const arrow::Schema& schema) {
  if (schema.num_fields() == 0) return "no column";
  std::string names;
  for (const auto& field : schema.fields()) names += (names.empty() ? "" : ", ") + field->name();
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

std::string FilesText(const ScanPlan& plan) {
  int64_t files = 0;
  for (const Fragment* fragment : plan.fragments) files += std::ssize(fragment->files);
  std::ostringstream text;
  text << "Table: " << plan.dataset->location.path << " version " << plan.dataset->manifest.version
       << ", " << plan.fragments.size() << " of " << plan.dataset->manifest.fragments.size()
       << " fragments, " << files << " data files, " << plan.num_rows() << " rows"
       << (plan.include_deleted ? " with the deleted ones" : "");
  return text.str();
}

/// `done` is null if nothing was.
std::string Explain(const ScanPlan& plan, const ScanOptions& options, const Done* done) {
  Steps steps;
  const auto rows = [](int64_t count) { return std::to_string(count) + " rows"; };
  std::string given;
  if (done != nullptr)
    given = rows(done->rows) + " in " + std::to_string(done->batches) + " batches";
  if (!options.order_by.empty()) {
    steps.Add("Sort: " + OrderText(options.order_by), std::exchange(given, ""));
  }
  if (options.limit || options.offset > 0) {
    steps.Add("Limit: " + (options.limit ? rows(*options.limit) : std::string("all rows")) +
                  " after " + rows(options.offset),
              std::exchange(given, ""));
  }
  if (plan.test == nullptr) {
    if (done != nullptr) {
      given += (given.empty() ? "" : ", ") + rows(done->scan.rows) + " read, " +
               Milliseconds(done->scan.read_ns);
    }
    steps.Add("Read: " + Names(*plan.output->schema), given);
  } else {
    if (!plan.rest->columns.empty()) {
      if (done != nullptr) {
        given += (given.empty() ? "" : ", ") + Milliseconds(done->scan.read_ns);
      }
      steps.Add("Take: " + Names(*plan.rest->schema) + " of the rows that the filter keeps",
                std::exchange(given, ""));
    }
    if (done != nullptr) {
      given += (given.empty() ? "" : ", ") + rows(done->scan.rows_kept) + " of " +
               std::to_string(done->scan.rows) + " kept, " + Milliseconds(done->scan.filter_ns);
    }
    steps.Add("Filter: " + options.filter->ToString(), given);
    std::string read;
    if (done != nullptr) {
      read = rows(done->scan.rows) + " in " + std::to_string(done->scan.pieces) + " pieces, " +
             rows(done->scan.rows_ruled_out) + " ruled out, " +
             Milliseconds(done->scan.filter_read_ns);
    }
    steps.Add("Read: " + Names(*plan.test_columns->schema) +
                  (plan.use_statistics ? ", but for pages that bounds rule out" : ""),
              read);
  }
  std::string io;
  if (done != nullptr) {
    io = std::to_string(done->scan.fragments) + " fragments, " +
         std::to_string(done->io.read_requests) + " requests, " +
         std::to_string(done->io.read_bytes) + " bytes";
  }
  steps.Add(FilesText(plan), io);
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
  return Explain(plan, options, nullptr);
}

Result<std::string> Dataset::AnalyzeScan(const ScanOptions& options,
                                         const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(const ScanPlan plan, ScanPlan::Make(state_, options, context));
  const auto done = std::make_shared<Done>();
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
  AddTo(done->io, context.io);
  return Explain(plan, options, done.get());
}

}  // namespace tusk::lance
