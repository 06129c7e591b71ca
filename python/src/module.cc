#include "module.h"

#include "arrow_data.h"
#include "call.h"
#include "lance_blobs.h"
#include "table_modules.h"

// What the package `tusk` is built on; not meant to be used by itself.
NB_MODULE(_tusk, module) {
  using namespace tusk::python;
  BindErrors();
  BindOperationContext(module);
  BindArrowData(module);
  BindProcess(module);
  BindObjectStore(module);
  BindLanceBaseTargets(module);
  BindLanceBlobs(module);
  BindLanceBlobFileWriter(module);
  BindLanceCleanup(module);
  BindLanceColumns(module);
  BindLanceCompact(module);
  BindLanceDataset(module);
  BindLanceDatasetDescription(module);
  BindLanceFile(module);
  BindLanceFileDescription(module);
  BindLanceFileSession(module);
  BindLanceFragmentChanges(module);
  BindLanceMovedRows(module);
  BindLanceJoinColumns(module);
  BindLanceMergeInsert(module);
  BindLanceNearest(module);
  BindLanceOutputFile(module);
  BindLanceRefs(module);
  BindLanceRowIdBytes(module);
  BindLanceSchemaJson(module);
  BindLanceSession(module);
  BindLanceTableFiles(module);
  BindLanceTransactions(module);
  BindLanceUpdateValues(module);
  BindIcebergTable(module);
  BindIcebergChanges(module);
  BindCatalog(module);
  BindLake(module);
  BindLakeDiff(module);
  BindLakeMaintenance(module);
  BindLakeOverview(module);
  BindEmbeddingModel(module);
  BindEncoder(module);
  BindIngest(module);
}
