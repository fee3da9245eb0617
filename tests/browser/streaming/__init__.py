"""An app whose operations are streams, beside the chat."""
