//! Colours: whether black or white can be read on a practice's colour (WCAG 2.2, success criterion 1.4.3).

/// A practice's colour and the colour of text on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paint {
    /// `#rrggbb`
    pub ground: String,
    /// `#000000` or `#ffffff`: the one with more contrast, never under 4.5 : 1.
    pub text: &'static str,
}

/// What is painted where a practice's colour is none: a blue on which white reads at 6.8 : 1.
const FALLBACK: [u8; 3] = [0x1f, 0x5f, 0x8b];

impl Paint {
    /// The paint for `#rrggbb`; the fallback for anything else.
    pub fn of(colour: &str) -> Self {
        let rgb = parse(colour).unwrap_or(FALLBACK);
        let light = luminance(rgb);
        let text = if contrast(1.0, light) >= contrast(light, 0.0) { "#ffffff" } else { "#000000" };
        Self { ground: format!("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]), text }
    }
}

/// What text on a page needs at least: a little above 4.5, so that rounding never falls below.
const READABLE: f64 = 4.6;

impl Paint {
    /// A shade of the colour that reads on this ground: itself, or mixed with black or white until it does.
    pub fn readable_on(&self, ground: [u8; 3]) -> String {
        let rgb = parse(&self.ground).unwrap_or(FALLBACK);
        let behind = luminance(ground);
        let towards = if behind > 0.18 { 0.0 } else { 255.0 };
        let shade = |step: u8| rgb.map(|part| (f64::from(part) + (towards - f64::from(part)) * f64::from(step) / 20.0) as u8);
        let reads = |rgb: [u8; 3]| {
            let light = luminance(rgb);
            contrast(light.max(behind), light.min(behind)) >= READABLE
        };
        let [red, green, blue] = (0..=20).map(shade).find(|rgb| reads(*rgb)).unwrap_or([towards as u8; 3]);
        format!("#{red:02x}{green:02x}{blue:02x}")
    }
}

fn parse(colour: &str) -> Option<[u8; 3]> {
    let digits = colour.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let octet = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
    Some([octet(0)?, octet(2)?, octet(4)?])
}

/// Relative luminance of an sRGB colour, 0 (black) to 1 (white).
fn luminance(rgb: [u8; 3]) -> f64 {
    let linear = rgb.map(|octet| {
        let part = f64::from(octet) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

/// Contrast of two luminances, 1 to 21.
fn contrast(lighter: f64, darker: f64) -> f64 {
    (lighter + 0.05) / (darker + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_on_any_colour_has_a_contrast_of_four_and_a_half() {
        for step in 0..=(1 << 12) {
            let rgb = [(step >> 8 & 15) * 17, (step >> 4 & 15) * 17, (step & 15) * 17].map(|part: u32| part as u8);
            let paint = Paint::of(&format!("#{:02X}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]));
            let light = luminance(rgb);
            let reached = if paint.text == "#ffffff" { contrast(1.0, light) } else { contrast(light, 0.0) };
            assert!(reached >= 4.5, "{paint:?} {reached}");
        }
    }

    #[test]
    fn any_colour_has_a_shade_that_reads_on_light_and_on_dark() {
        for step in 0..=(1 << 12) {
            let rgb = [(step >> 8 & 15) * 17, (step >> 4 & 15) * 17, (step & 15) * 17].map(|part: u32| part as u8);
            let paint = Paint::of(&format!("#{:02X}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]));
            for ground in [[0xff; 3], [0xf4, 0xf6, 0xf8], [0x1f, 0x26, 0x2e]] {
                let (shade, behind) = (luminance(parse(&paint.readable_on(ground)).unwrap()), luminance(ground));
                assert!(contrast(shade.max(behind), shade.min(behind)) >= 4.5, "{paint:?} on {ground:?}");
            }
        }
        assert_eq!(Paint::of("#1f5c7a").readable_on([0xff; 3]), "#1f5c7a", "what reads stays");
    }

    #[test]
    fn what_is_no_colour_is_painted_in_the_fallback() {
        for none in ["", "red", "#12345", "#1234567", "#+12345", "#12345é", "\" onload=\""] {
            assert_eq!(Paint::of(none), Paint { ground: "#1f5f8b".into(), text: "#ffffff" }, "{none:?}");
        }
    }
}
