"""The benchmarks: the real server, a real SMTP sink, a load over HTTP. No part of the product, which runs without."""
