#include <array>
#include <utility>

#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/file/schema_proto.h"
#include "tusk/lance/table/table_proto.h"
#include "tusk/lance/table/transaction.h"
#include "tusk/lance/table/transaction.pb.h"

namespace tusk::lance {
namespace {

Operation OperationOf(const proto::Transaction& transaction) {
  switch (transaction.operation_case()) {
    case proto::Transaction::kAppend:
      return Operation::kAppend;
    case proto::Transaction::kDelete:
      return Operation::kDelete;
    case proto::Transaction::kOverwrite:
      return Operation::kOverwrite;
    case proto::Transaction::kCreateIndex:
      return Operation::kCreateIndex;
    case proto::Transaction::kRewrite:
      return Operation::kRewrite;
    case proto::Transaction::kMerge:
      return Operation::kMerge;
    case proto::Transaction::kRestore:
      return Operation::kRestore;
    case proto::Transaction::kReserveFragments:
      return Operation::kReserveFragments;
    case proto::Transaction::kUpdate:
      return Operation::kUpdate;
    case proto::Transaction::kProject:
      return Operation::kProject;
    case proto::Transaction::kUpdateConfig:
      return Operation::kUpdateConfig;
    case proto::Transaction::kDataReplacement:
      return Operation::kDataReplacement;
    case proto::Transaction::kUpdateMemWalState:
      return Operation::kUpdateMemWalState;
    case proto::Transaction::kClone:
      return Operation::kClone;
    case proto::Transaction::kUpdateBases:
      return Operation::kUpdateBases;
    case proto::Transaction::kDataOverlay:
      return Operation::kDataOverlay;
    case proto::Transaction::OPERATION_NOT_SET:
      return Operation::kUnknown;
  }
  return Operation::kUnknown;
}

std::set<std::string> ChangedKeys(const proto::Transaction::UpdateConfig& update) {
  std::set<std::string> keys(update.delete_keys().begin(), update.delete_keys().end());
  for (const auto& [key, value] : update.upsert_values()) keys.insert(key);
  for (const auto& entry : update.config_updates().update_entries()) keys.insert(entry.key());
  return keys;
}

template <typename Fragments>
Status ParseFragments(const Fragments& fragments, std::vector<Fragment>* out) {
  out->reserve(fragments.size());
  for (const proto::DataFragment& fragment : fragments) {
    ARROW_ASSIGN_OR_RAISE(out->emplace_back(), FromProto(fragment));
  }
  return Status::OK();
}

}  // namespace

std::string_view OperationName(Operation operation) {
  static constexpr std::array<std::string_view, 17> kNames = {"append",
                                                              "delete",
                                                              "overwrite",
                                                              "create_index",
                                                              "rewrite",
                                                              "merge",
                                                              "restore",
                                                              "reserve_fragments",
                                                              "update",
                                                              "project",
                                                              "update_config",
                                                              "data_replacement",
                                                              "update_mem_wal_state",
                                                              "clone",
                                                              "update_bases",
                                                              "data_overlay",
                                                              "unknown"};
  return kNames[static_cast<size_t>(operation)];
}

std::string SerializeTransaction(const Transaction& transaction) {
  proto::Transaction out;
  out.set_read_version(transaction.read_version);
  out.set_uuid(transaction.uuid);
  out.mutable_transaction_properties()->insert(transaction.properties.begin(),
                                               transaction.properties.end());
  if (transaction.operation == Operation::kAppend) {
    auto* append = out.mutable_append();
    for (const Fragment& fragment : transaction.fragments) {
      *append->add_fragments() = ToProto(fragment);
    }
    return out.SerializeAsString();
  }
  if (transaction.operation == Operation::kDelete) {
    auto* deletion = out.mutable_delete_();
    for (const Fragment& fragment : transaction.fragments) {
      *deletion->add_updated_fragments() = ToProto(fragment);
    }
    deletion->mutable_deleted_fragment_ids()->Add(transaction.deleted_fragments.begin(),
                                                  transaction.deleted_fragments.end());
    deletion->set_predicate(transaction.predicate);
    return out.SerializeAsString();
  }
  if (transaction.operation == Operation::kRestore) {
    out.mutable_restore()->set_version(transaction.restored_version);
    return out.SerializeAsString();
  }
  auto* overwrite = out.mutable_overwrite();
  for (const Fragment& fragment : transaction.fragments) {
    *overwrite->add_fragments() = ToProto(fragment);
  }
  proto::Schema schema = ToProto(transaction.schema);
  overwrite->mutable_schema()->Swap(schema.mutable_fields());
  overwrite->mutable_schema_metadata()->Swap(schema.mutable_metadata());
  overwrite->mutable_config_upsert_values()->insert(transaction.config_upserts.begin(),
                                                    transaction.config_upserts.end());
  return out.SerializeAsString();
}

Result<Transaction> ParseTransaction(std::string_view bytes) {
  proto::Transaction in;
  if (!ParseMessage(bytes, &in)) {
    return Corrupt("the transaction's ", bytes.size(), " bytes are not a transaction message");
  }
  Transaction transaction;
  transaction.read_version = in.read_version();
  transaction.uuid = in.uuid();
  transaction.properties.insert(in.transaction_properties().begin(),
                                in.transaction_properties().end());
  transaction.operation = OperationOf(in);
  switch (transaction.operation) {
    case Operation::kAppend:
      ARROW_RETURN_NOT_OK(ParseFragments(in.append().fragments(), &transaction.fragments));
      break;
    case Operation::kDelete:
      ARROW_RETURN_NOT_OK(ParseFragments(in.delete_().updated_fragments(), &transaction.fragments));
      transaction.deleted_fragments.assign(in.delete_().deleted_fragment_ids().begin(),
                                           in.delete_().deleted_fragment_ids().end());
      transaction.predicate = in.delete_().predicate();
      break;
    case Operation::kOverwrite: {
      auto* overwrite = in.mutable_overwrite();
      ARROW_RETURN_NOT_OK(ParseFragments(overwrite->fragments(), &transaction.fragments));
      proto::Schema schema;
      schema.mutable_fields()->Swap(overwrite->mutable_schema());
      schema.mutable_metadata()->Swap(overwrite->mutable_schema_metadata());
      ARROW_ASSIGN_OR_RAISE(transaction.schema, FromProto(schema));
      transaction.config_upserts.insert(overwrite->config_upsert_values().begin(),
                                        overwrite->config_upsert_values().end());
      break;
    }
    case Operation::kMerge:
      transaction.preserves_nullability = in.merge().preserves_nullability();
      break;
    case Operation::kProject:
      transaction.preserves_nullability = in.project().preserves_nullability();
      break;
    case Operation::kUpdateConfig:
      transaction.config_keys = ChangedKeys(in.update_config());
      break;
    case Operation::kRestore:
      transaction.restored_version = in.restore().version();
      break;
    default:
      break;
  }
  return transaction;
}

std::string TransactionFileName(const Transaction& transaction) {
  return std::to_string(transaction.read_version) + "-" + transaction.uuid + ".txn";
}

}  // namespace tusk::lance
