//! Accept loops, deadlines and limits; knows no protocol.
