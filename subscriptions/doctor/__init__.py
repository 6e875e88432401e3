"""Whether all is as it should be around the service: DNS, relay, its own address, the machine; findings to mend."""
