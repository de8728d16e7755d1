"""The interfaces between the roles: `.proto` files, and the code that `scripts/proto` generates from them."""
