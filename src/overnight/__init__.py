"""The machinery: it trains, records, sweeps, searches and compares any LightningModule on any data module."""
