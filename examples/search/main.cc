// Adds the pictures of a folder to a lake and prints those that are nearest to one picture.
//
//   search LAKE FOLDER PICTURE
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include <arrow/array.h>
#include <arrow/table.h>

#include "tusk/lake/encoder.h"
#include "tusk/lake/ingest.h"
#include "tusk/lake/lake.h"
#include "tusk/lance/nearest.h"

namespace {

constexpr int64_t kHits = 5;

tusk::Result<std::shared_ptr<tusk::lake::Lake>> OpenOrMake(const std::string& path,
                                                           const tusk::OperationContext& context) {
  if (std::filesystem::exists(path)) {
    return tusk::lake::Lake::Open(path, /*at=*/std::nullopt, context);
  }
  return tusk::lake::Lake::Init(path, context);
}

tusk::Result<std::vector<float>> Encode(const std::string& path, tusk::lake::Encoder* encoder,
                                        const tusk::OperationContext& context) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  ARROW_ASSIGN_OR_RAISE(const tusk::lake::Image image, tusk::lake::DecodeImage(bytes));
  std::vector<float> vector(encoder->dimension());
  ARROW_RETURN_NOT_OK(encoder->Encode({&image, 1}, vector, context));
  return vector;
}

tusk::Status Run(const std::string& lake_path, const std::string& folder,
                 const std::string& picture) {
  const tusk::OperationContext context;
  ARROW_ASSIGN_OR_RAISE(const auto lake, OpenOrMake(lake_path, context));
  tusk::lake::IngestOptions options;
  ARROW_ASSIGN_OR_RAISE(options.name, tusk::catalog::TableName::Parse("media.pictures"));
  ARROW_ASSIGN_OR_RAISE(options.encoder, tusk::lake::MakeEncoder("pixels"));
  ARROW_ASSIGN_OR_RAISE(const auto report,
                        tusk::lake::Ingest(lake.get(), folder, options, context));
  std::cout << "added " << report.added << " of " << report.files << " files\n";

  tusk::lance::NearestOptions search;
  search.column = "embedding";
  search.columns = {{"content_id"}};
  search.k = kHits;
  ARROW_ASSIGN_OR_RAISE(search.query, Encode(picture, options.encoder.get(), context));
  ARROW_ASSIGN_OR_RAISE(const auto pictures, lake->OpenLance(options.name, context));
  ARROW_ASSIGN_OR_RAISE(const auto hits, tusk::lance::FindNearest(*pictures, search, context));
  ARROW_ASSIGN_OR_RAISE(const auto batch, hits->CombineChunksToBatch());
  const auto& ids = static_cast<const arrow::StringArray&>(*batch->column(0));
  const auto& distances = static_cast<const arrow::FloatArray&>(*batch->column(1));
  for (int64_t i = 0; i < batch->num_rows(); ++i) {
    std::cout << distances.Value(i) << "  " << ids.GetView(i) << "\n";
  }
  return tusk::Status::OK();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: search LAKE FOLDER PICTURE\n";
    return 2;
  }
  const tusk::Status status = Run(argv[1], argv[2], argv[3]);
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
