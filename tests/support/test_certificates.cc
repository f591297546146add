#include "tests/support/test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"

namespace postrider {
namespace {

constexpr long kDay = 24 * 60 * 60;

EVP_PKEY* NewKey() { return EVP_EC_gen("P-256"); }

void AddExtension(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// A certificate for `key`, not signed yet.
X509* NewCertificate(EVP_PKEY* key, const std::string& name, int serial, bool expired) {
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), expired ? -kDay : 3 * kDay);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

void WritePem(const std::string& path, X509* certificate, EVP_PKEY* key) {
  FILE* const file = fopen(path.c_str(), "w");
  CHECK(file != nullptr);
  if (key != nullptr) {
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  }
  PEM_write_X509(file, certificate);
  fclose(file);
}

}  // namespace

struct TestCertificates::Issuer {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
};

TestCertificates::TestCertificates() : issuer_(new Issuer) {
  std::string pattern = (std::filesystem::temp_directory_path() / "postrider-XXXXXX").string();
  CHECK(mkdtemp(pattern.data()) != nullptr);
  directory_ = pattern;
  issuer_->key = NewKey();
  issuer_->certificate = NewCertificate(issuer_->key, "Test CA", 1, false);
  X509_set_issuer_name(issuer_->certificate, X509_get_subject_name(issuer_->certificate));
  AddExtension(issuer_->certificate, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(issuer_->certificate, issuer_->key, EVP_sha256());
  WritePem(ca_file(), issuer_->certificate, nullptr);
}

TestCertificates::~TestCertificates() {
  X509_free(issuer_->certificate);
  EVP_PKEY_free(issuer_->key);
  delete issuer_;
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string TestCertificates::Make(const Wish& wish) {
  EVP_PKEY* const key = NewKey();
  ++made_;
  X509* const certificate = NewCertificate(key, wish.common_name, made_ + 1, wish.expired);
  std::string names;
  if (!wish.dns_name.empty()) {
    names = absl::StrCat("DNS:", wish.dns_name);
  }
  if (!wish.ip_address.empty()) {
    absl::StrAppend(&names, names.empty() ? "" : ",", "IP:", wish.ip_address);
  }
  if (!names.empty()) {
    AddExtension(certificate, NID_subject_alt_name, names);
  }
  X509* const issuer = wish.self_signed ? certificate : issuer_->certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  X509_sign(certificate, wish.self_signed ? key : issuer_->key, EVP_sha256());
  const std::string path = absl::StrCat(directory_, "/", made_, ".pem");
  WritePem(path, certificate, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return path;
}

}  // namespace postrider
