//! Far sides that misbehave, one file each.
