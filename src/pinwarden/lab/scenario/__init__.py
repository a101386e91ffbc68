"""The story that `pinwarden demo` tells and that the tests assert."""
