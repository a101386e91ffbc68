"""`pinwarden ct`: SCTs, browser policies, inclusion proofs, logs."""
