"""Everything that talks to AWS. Knows no Django model and no request; speaks its own dataclasses and typed errors."""
