"""The door for outbound HTTP to addresses that people typed. `egress` sends; nothing else in the product may."""
