#pragma once

#include <string>

namespace postrider {

// A certificate authority made for one test, in a directory of its own that goes with it.
class TestCertificates {
 public:
  struct Wish {
    std::string dns_name;    // Empty: none.
    std::string ip_address;  // Empty: none.
    std::string common_name = "test";
    bool expired = false;
    bool self_signed = false;
  };

  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  // The authority's own certificate, in PEM.
  std::string ca_file() const { return directory_ + "/ca.pem"; }

  // A PEM file of a new key and its certificate.
  std::string Make(const Wish& wish);

 private:
  struct Issuer;

  std::string directory_;
  Issuer* issuer_;
  int made_ = 0;
};

}  // namespace postrider
