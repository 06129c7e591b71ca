#pragma once

#include <nanobind/nanobind.h>

namespace tusk::python {

// One per public header.
void BindOperationContext(nanobind::module_& module);
void BindProcess(nanobind::module_& module);
void BindObjectStore(nanobind::module_& module);
void BindLanceCleanup(nanobind::module_& module);
void BindLanceColumns(nanobind::module_& module);
void BindLanceCompact(nanobind::module_& module);
void BindLanceDataset(nanobind::module_& module);
void BindLanceDatasetDescription(nanobind::module_& module);
void BindLanceFile(nanobind::module_& module);
void BindLanceFileDescription(nanobind::module_& module);
void BindLanceFileSession(nanobind::module_& module);
void BindLanceFragmentChanges(nanobind::module_& module);
void BindLanceMovedRows(nanobind::module_& module);
void BindLanceJoinColumns(nanobind::module_& module);
void BindLanceMergeInsert(nanobind::module_& module);
void BindLanceNearest(nanobind::module_& module);
void BindLanceOutputFile(nanobind::module_& module);
void BindLanceRefs(nanobind::module_& module);
void BindLanceTransactions(nanobind::module_& module);
void BindLanceUpdateValues(nanobind::module_& module);
void BindIcebergChanges(nanobind::module_& module);
void BindIcebergTable(nanobind::module_& module);
void BindCatalog(nanobind::module_& module);
void BindLake(nanobind::module_& module);
void BindLakeDiff(nanobind::module_& module);
void BindLakeMaintenance(nanobind::module_& module);
void BindLakeOverview(nanobind::module_& module);
void BindEmbeddingModel(nanobind::module_& module);
void BindEncoder(nanobind::module_& module);
void BindIngest(nanobind::module_& module);

}  // namespace tusk::python
