# How make gets FashionMNIST.
RAW := $(FCNLAB_DATA)/FashionMNIST/raw
VERIFIED := $(FCNLAB_DATA)/FashionMNIST/.verified
.PHONY: debian-data

data: $(VERIFIED) ## FashionMNIST: found, or downloaded, or taken from Debian's package; and verified

$(VERIFIED): $(INSTALLED) $(wildcard $(RAW) $(RAW)/*) # again if a file has come, gone or changed since
	@$(BIN)/python -m fcnlab.fashion_mnist $(FCNLAB_DATA) || $(MAKE) --no-print-directory debian-data
	@touch $@ 2> /dev/null || true

debian-data: $(INSTALLED) # without root: a package list and a package in a folder of our own
	@command -v apt-get > /dev/null || (echo "There is no apt-get here to take Debian's package with." && exit 1)
	@echo "Trying Debian's package dataset-fashion-mnist instead."
	@set -e; work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; mkdir -p $$work/lists/partial $$work/cache $(RAW); \
		apt="-o Dir::State::Lists=$$work/lists -o Dir::Cache=$$work/cache -o APT::Sandbox::User="; \
		apt-get $$apt -qq update; (cd $$work && apt-get $$apt -qq download dataset-fashion-mnist); \
		dpkg-deb --extract $$work/*.deb $$work/tree; mv $$work/tree/usr/share/datasets/fashion-mnist/*.gz $(RAW)/
	@$(BIN)/python -m fcnlab.fashion_mnist $(FCNLAB_DATA)
