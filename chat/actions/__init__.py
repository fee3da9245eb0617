"""
What a person can do, once for all doors.

Each action takes who asks (`Caller`) and values that a door has decoded, asks rights (`access`) and rates
(`limits`), and calls a service. It raises `OperationError` or `RetryLater`; each door says so in its own way.
"""
