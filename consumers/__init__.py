"""The FastStream application: one module per job."""
