//! Numbers of octets as people write them.

const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// Reads `50 MiB`, `64 KiB`, `1 GiB`, with or without the space; `MB` and the like are taken for the same
/// (mail programs mean powers of 1024 by them), and a number alone is octets. `None` for anything else.
pub fn parse_size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim_start_matches(' ') {
        "" | "B" => 1,
        "KiB" | "KB" | "kB" => 1 << 10,
        "MiB" | "MB" => 1 << 20,
        "GiB" | "GB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// Writes a size as [`parse_size`] reads it, in the largest unit that leaves no rest.
pub fn format_size(octets: u64) -> String {
    UNITS
        .into_iter()
        .find(|(_, unit)| octets >= *unit && octets.is_multiple_of(*unit))
        .map_or_else(|| format!("{octets} B"), |(name, unit)| format!("{} {name}", octets / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_write_alike() {
        for (text, octets, written) in [
            ("50 MiB", 50 << 20, "50 MiB"),
            ("50MB", 50 << 20, "50 MiB"),
            ("1 GiB", 1 << 30, "1 GiB"),
            ("1500", 1500, "1500 B"),
            ("0", 0, "0 B"),
        ] {
            assert_eq!(parse_size(text), Some(octets), "{text}");
            assert_eq!(format_size(octets), written);
            assert_eq!(parse_size(written), Some(octets));
        }
        for bad in ["", "MiB", "-1 MiB", "1.5 MiB", "50 mib", "50 TiB", "99999999999 GiB", "5 MiB ", "٥ MiB"] {
            assert_eq!(parse_size(bad), None, "{bad:?}");
        }
    }
}
