"""Raw rtnetlink: messages are values, one connection sends batches of them."""
