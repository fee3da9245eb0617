"""The push door: binary frames of an opcode and a payload, for apps and devices."""
