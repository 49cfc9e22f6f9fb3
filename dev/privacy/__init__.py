"""The documents about privacy, made from what the contract declares; a test holds them current."""
